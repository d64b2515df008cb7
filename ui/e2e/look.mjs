// First the weight of the page; then every view at three widths, and in both themes at the first: nothing overflows or jumps, axe finds nothing, and a picture is kept to look at.
import { gzipSync } from 'node:zlib';

const VIEWS = { now: '/', compose: '/compose', outputs: '/outputs', machine: '/machine', learn: '/learn' };
const SIZES = [
  [1440, 1000],
  [768, 1024],
  [390, 844],
];
/** Cumulative layout shift; browsers call 0.1 good, and a sentence that gains a line on a phone costs about 0.06. */
const MOST_SHIFT = 0.1;
/** Of the first load, compressed. */
const MOST_WEIGHT_BYTES = 250_000;

/** Least height of a control, CSS pixels: for a thumb, and for a mouse. */
const THUMB = 44;
const MOUSE = 24;
const NARROW = 700;

/**
 * Controls that are too low. A switch counts with its row, a checkbox or radio button with its label.
 * Links within text are exempt.
 */
const tooLow = (page, least) =>
  page.evaluate((least) => {
    const all = [...document.querySelectorAll('button, a[href], select, textarea, input, summary')];
    const seen = all.filter((it) => it.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !it.matches('.skip, .host button') && getComputedStyle(it).display !== 'inline');
    const area = (it) => (it.matches('[role=switch]') ? it.closest('.field') : it.matches('[type=checkbox], [type=radio]') ? (it.labels?.[0] ?? it) : it);
    const low = seen.filter((it) => area(it).getBoundingClientRect().height < least - 0.5);
    return low.map((it) => `${it.id || it.className || it.tagName} (${Math.round(area(it).getBoundingClientRect().height)} px)`);
  }, least);

async function lookAt(kit, view, path, [width, height], colorScheme) {
  const name = `${view}-${width}-${colorScheme}`;
  const page = await kit.open(path, { viewport: { width, height }, colorScheme });
  await page.waitForTimeout(1500);
  const shifts = await page.evaluate(() => globalThis.shifts);
  const moved = shifts.reduce((sum, shift) => sum + shift.by, 0);
  kit.check(moved < MOST_SHIFT, `${name}: nothing jumps (layout shift ${moved.toFixed(4)}${moved < MOST_SHIFT ? '' : `: ${JSON.stringify(shifts)}`})`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  kit.check(over <= 0, `${name}: no horizontal overflow (${over} px)`);
  const low = await tooLow(page, width <= NARROW ? THUMB : MOUSE);
  kit.check(low.length === 0, `${name}: every control is high enough${low.length === 0 ? '' : `, but ${low.join(', ')}`}`);
  if (view === 'now') {
    const { y, height: high } = await page.locator('#listen').boundingBox();
    kit.check(y + high <= height, `${name}: Listen is on the first screen (ends at ${Math.round(y + high)} of ${height} px)`);
  }
  await kit.axeFinds(page, name);
  await kit.shot(page, name);
  await page.context().close();
}

/** At every size in the dark theme, and at the first size in the light one: themes differ in colours alone. */
export async function lookAtAll(kit, view, path, sizes = SIZES) {
  for (const size of sizes) await lookAt(kit, view, path, size, 'dark');
  await lookAt(kit, view, path, sizes[0], 'light');
}

/** The way between the views by keyboard alone, and the title that says where one is. */
async function walk(kit) {
  const page = await kit.open('/');
  await page.keyboard.press('Tab');
  await kit.until('the first stop skips to the view', async () => (await page.evaluate(() => document.activeElement?.className)) === 'skip');
  await kit.until('without a site there is no Fleet', async () => (await page.locator('nav a:has-text("Fleet")').count()) === 0);
  for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('main[data-view="outputs"]');
  await kit.until('the title says which view it is', async () => (await page.title()) === 'Outputs · khor');
  await kit.until('the focus goes with it', async () => await page.evaluate(() => document.activeElement?.tagName === 'MAIN'));
  await page.goBack();
  await page.waitForSelector('main[data-view="now"]');
  kit.check(true, 'the back button goes back');
  await page.context().close();
}

/** All that the first load fetched but for the API's answers, and how soon something was seen. */
async function weigh(kit) {
  const page = await kit.open('/');
  const names = await page.evaluate(() => [location.href, ...performance.getEntriesByType('resource').map((it) => it.name)]);
  const assets = [...new Set(names)].filter((name) => !new URL(name).pathname.startsWith('/api/'));
  let bytes = 0;
  for (const name of assets) bytes += gzipSync(Buffer.from(await (await fetch(name)).arrayBuffer())).length;
  kit.check(bytes > 50_000 && bytes <= MOST_WEIGHT_BYTES, `the page weighs ${bytes} bytes compressed`);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null);
  kit.check(paint !== null, `something is seen after ${Math.round(paint)} ms`);
  await page.context().close();
}

export async function look(kit) {
  await weigh(kit);
  await walk(kit);
  for (const [view, path] of Object.entries(VIEWS)) await lookAtAll(kit, view, path);
}
