// Measures the cost of drawing the view Now, and whether frames are late. All lanes have five
// minutes of history with twenty points a second, while the engine streams.
import { SLOWNESS, WIDE } from './kit.mjs';

const WINDOW_MS = 300_000;
const SPACING_MS = 50;
const WATCH_MS = 10_000;
/** Largest share of a core for the page's thread. Generous, because machines differ.
 *  docs/specification.md has the measured value. */
const BUSY_AT_MOST = 0.5;

/** The engine's history, repeated into the past to five minutes with twenty points a second. */
function stretched({ ts_ms, rates }) {
  const count = WINDOW_MS / SPACING_MS;
  const repeated = (list) => Array.from({ length: count }, (_, i) => list[i % list.length]);
  return {
    ts_ms: Array.from({ length: count }, (_, i) => ts_ms.at(-1) - (count - 1 - i) * SPACING_MS),
    rates: Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, repeated(list)])),
  };
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

const percent = (value) => `${(100 * value).toFixed(1)} %`;

/** Runs in the page. Returns the time of each frame. It requests every frame, also those with
 *  nothing to draw, so it costs more than the page alone. */
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

/** Processor time so far, seconds: of the page's thread by purpose, and of all browser processes. */
async function spent(debug, browser) {
  const { metrics } = await debug.send('Performance.getMetrics');
  const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
  return { thread: of.TaskDuration, scripts: of.ScriptDuration, layout: of.LayoutDuration, all: processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) };
}

/** The shares of a processor that `act` used. */
async function sharesOf(debug, browser, act) {
  const [before, begun] = [await spent(debug, browser), performance.now()];
  await act();
  const [after, wall] = [await spent(debug, browser), (performance.now() - begun) / 1000];
  return Object.fromEntries(Object.keys(before).map((name) => [name, (after[name] - before[name]) / wall]));
}

export async function frames(kit) {
  const context = await kit.browser.newContext(WIDE);
  const page = await context.newPage();
  const browser = await kit.browser.newBrowserCDPSession();
  const debug = await context.newCDPSession(page);
  // Counts processor time, so that other load on the machine does not matter.
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const measure = (act) => sharesOf(debug, browser, act);
  const watch = () => page.waitForTimeout(WATCH_MS);
  await page.waitForTimeout(2000);
  const blank = await measure(watch);

  await page.route('**/api/history*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: stretched(await answer.json()) });
  });
  await kit.until('the engine has a history', async () => (await kit.api('/api/history')).ts_ms.length > 10);
  await page.goto(kit.base);
  await kit.ready(page);
  await page.waitForTimeout(2000);
  const lanes = await page.locator('.lane:not([data-absent="true"])').count();
  kit.check(lanes >= 6, `${lanes} lanes are drawn`);

  const alone = await measure(watch);
  console.log(
    `figure: ${lanes} lanes: the page's thread takes ${percent(alone.thread)} of a processor (scripts ${percent(alone.scripts)}, layout ${percent(alone.layout)}), ` +
      `all of the browser, which draws without a graphics card, ${percent(alone.all - blank.all)} more than with an empty page (${percent(blank.all)})`,
  );
  kit.check(alone.thread < BUSY_AT_MOST * SLOWNESS, `the page's thread takes less than ${percent(BUSY_AT_MOST)}, allowing for a slow machine`);

  let stamps = [];
  const asked = await measure(async () => (stamps = await page.evaluate(frameTimes, WATCH_MS)));
  const gaps = stamps.slice(1).map((at, i) => at - stamps[i]).sort((a, b) => a - b);
  const fps = (1000 * gaps.length) / (stamps.at(-1) - stamps[0]);
  console.log(`figure: asked for every frame it gives ${fps.toFixed(1)} a second, median ${quantile(gaps, 0.5).toFixed(1)} ms, 99 % within ${quantile(gaps, 0.99).toFixed(1)} ms, the longest ${gaps.at(-1).toFixed(1)} ms; each takes the page's thread ${((asked.thread * (stamps.at(-1) - stamps[0])) / gaps.length).toFixed(2)} ms`);
  await context.close();
}
