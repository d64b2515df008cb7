// Measures how much CPU time the Now view uses, and whether its frames are late. Every lane has
// five minutes of history with 20 points a second, and the engine keeps sending values.
import { SLOWNESS, WIDE } from './kit.mjs';

const WINDOW_MS = 300_000;
const SPACING_MS = 50;
const WATCH_MS = 10_000;
/** Limit for the CPU time of the page's main thread, as a share of one core. The limit is high
 *  because machines differ. docs/specification.md has the measured value. */
const BUSY_AT_MOST = 0.5;

/** Repeats the values of the engine's history, so that they fill five minutes with 20 points a
 *  second. */
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

/** Returns the time of each animation frame within `length` milliseconds. It runs in the page and
 *  requests every frame, so the page uses more CPU time than usual. */
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

/** Returns the CPU time used so far, in seconds: by the page's main thread (`thread`), by its
 *  scripts and its layout, and by all processes of the browser (`all`). */
async function spent(debug, browser) {
  const { metrics } = await debug.send('Performance.getMetrics');
  const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
  return { thread: of.TaskDuration, scripts: of.ScriptDuration, layout: of.LayoutDuration, all: processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) };
}

/** Returns how much CPU time the page's main thread and the browser used while `act` ran, as shares
 *  of one core. */
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
  // Make the debugger measure CPU time instead of elapsed time, so that other programs do not
  // affect the result.
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
    `figure: ${lanes} lanes: the page's thread uses ${percent(alone.thread)} of a core (scripts ${percent(alone.scripts)}, layout ${percent(alone.layout)}), ` +
      `the whole browser, without a graphics card, uses ${percent(alone.all - blank.all)} more than with an empty page (${percent(blank.all)})`,
  );
  kit.check(alone.thread < BUSY_AT_MOST * SLOWNESS, `the page's thread uses less than ${percent(BUSY_AT_MOST)} of a core, scaled by the speed of this machine`);

  let stamps = [];
  const asked = await measure(async () => (stamps = await page.evaluate(frameTimes, WATCH_MS)));
  const gaps = stamps.slice(1).map((at, i) => at - stamps[i]).sort((a, b) => a - b);
  const fps = (1000 * gaps.length) / (stamps.at(-1) - stamps[0]);
  console.log(`figure: if every frame is requested: ${fps.toFixed(1)} frames a second, median ${quantile(gaps, 0.5).toFixed(1)} ms, 99 % within ${quantile(gaps, 0.99).toFixed(1)} ms, the longest ${gaps.at(-1).toFixed(1)} ms; each frame uses the page's thread for ${((asked.thread * (stamps.at(-1) - stamps[0])) / gaps.length).toFixed(2)} ms`);
  await context.close();
}
