// How smoothly the page draws: all lanes with five minutes at twenty points a second, while the engine streams.
import { WIDE } from './kit.mjs';

const WINDOW_MS = 300_000;
const SPACING_MS = 50;
const WATCH_MS = 10_000;
/** Generous: processors differ. What was measured is in docs/specification.md. */
const BUSY_AT_MOST = 0.5;

/** What the engine knows, repeated back in time until it is five minutes at twenty points a second. */
function stretched(history) {
  const last = history.at(-1);
  const count = WINDOW_MS / SPACING_MS;
  return Array.from({ length: count }, (_, i) => ({ ...history[i % history.length], ts_ms: last.ts_ms - (count - 1 - i) * SPACING_MS }));
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

const percent = (value) => `${(100 * value).toFixed(1)} %`;

/** In the page: when each frame was drawn. */
function frameTimes(length) {
  return new Promise((resolve) => {
    const stamps = [];
    const step = (now) => {
      stamps.push(now);
      if (now - stamps[0] < length) requestAnimationFrame(step);
      else resolve(stamps);
    };
    requestAnimationFrame(step);
  });
}

/** What the page's thread spent on what meanwhile, and how long that was, in seconds. */
async function spentDuring(debug, wait) {
  const read = async () => Object.fromEntries((await debug.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const [before, begun] = [await read(), performance.now()];
  await wait();
  const [after, wall] = [await read(), (performance.now() - begun) / 1000];
  return { wall, ...Object.fromEntries(['TaskDuration', 'ScriptDuration', 'LayoutDuration'].map((name) => [name, after[name] - before[name]])) };
}

export async function frames(kit) {
  const context = await kit.browser.newContext(WIDE);
  const page = await context.newPage();
  await page.route('**/api/metrics', async (route) => {
    const answer = await route.fetch();
    const whole = await answer.json();
    await route.fulfill({ response: answer, json: { ...whole, history: stretched(whole.history) } });
  });
  await kit.until('the engine has a history', async () => (await kit.api('/api/metrics')).history.length > 10, 10_000);
  await page.goto(kit.base);
  await kit.ready(page);
  await page.waitForTimeout(2000);
  const lanes = await page.locator('.lane canvas').count();
  kit.check(lanes >= 6, `${lanes} lanes are drawn`);
  const debug = await context.newCDPSession(page);
  // In time of the processor, which does not count what others on it take away.
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const alone = await spentDuring(debug, () => page.waitForTimeout(WATCH_MS));
  console.log(`figure: ${lanes} lanes: the page's thread works ${percent(alone.TaskDuration / alone.wall)} of the time (scripts ${percent(alone.ScriptDuration / alone.wall)}, layout ${percent(alone.LayoutDuration / alone.wall)})`);
  kit.check(alone.TaskDuration / alone.wall < BUSY_AT_MOST, `that is less than ${percent(BUSY_AT_MOST)}`);

  let stamps = [];
  const drawing = await spentDuring(debug, async () => (stamps = await page.evaluate(frameTimes, WATCH_MS)));
  const gaps = stamps.slice(1).map((at, i) => at - stamps[i]).sort((a, b) => a - b);
  const fps = (1000 * gaps.length) / (stamps.at(-1) - stamps[0]);
  console.log(`figure: ${fps.toFixed(1)} frames a second, median ${quantile(gaps, 0.5).toFixed(1)} ms, 99 % within ${quantile(gaps, 0.99).toFixed(1)} ms; each takes the page's thread ${((1000 * drawing.TaskDuration) / gaps.length).toFixed(2)} ms`);
  await context.close();
}
