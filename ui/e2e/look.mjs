// Tests the size of the page's files, the keyboard navigation, and the layout of every view in
// three window sizes: no overflow, no layout jumps, and no accessibility violations. Takes a
// screenshot of each layout.
import { gzipSync } from 'node:zlib';

const VIEWS = { now: '/', compose: '/compose', outputs: '/outputs', machine: '/machine', learn: '/learn' };
const SIZES = [
  [1440, 1000],
  [768, 1024],
  [390, 844],
];
/** Largest allowed cumulative layout shift. Browsers rate values up to 0.1 as good. On a phone, a
 *  sentence that grows by one line causes a shift of about 0.06. */
const MOST_SHIFT = 0.1;
/** Limit for the compressed size of all files of the first page load, in bytes. */
const MOST_WEIGHT_BYTES = 250_000;

/** Minimum height of buttons, links and input fields, in CSS pixels: `THUMB` for a touch screen,
 *  `MOUSE` for a mouse. */
const THUMB = 44;
const MOUSE = 24;
/** Maximum window width of a phone, in CSS pixels. */
const NARROW = 700;

/** Returns the controls that are not high enough. For a switch, the height of its row counts. For a
 *  checkbox or radio button, the height of its label counts. Links within text are exempt. */
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
  kit.check(moved < MOST_SHIFT, `${name}: no element jumps (layout shift ${moved.toFixed(4)}${moved < MOST_SHIFT ? '' : `: ${JSON.stringify(shifts)}`})`);
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

/** Tests a view with the dark theme in all window sizes. Tests it with the light theme only in the
 *  first size, because the themes differ only in their colours. */
export async function lookAtAll(kit, view, path, sizes = SIZES) {
  for (const size of sizes) await lookAt(kit, view, path, size, 'dark');
  await lookAt(kit, view, path, sizes[0], 'light');
}

/** Opens views with the keyboard, and checks that the page title names the view and that the view
 *  has the focus. */
async function walk(kit) {
  const page = await kit.open('/');
  await page.keyboard.press('Tab');
  await kit.until('the first tab stop is the skip link', async () => (await page.evaluate(() => document.activeElement?.className)) === 'skip');
  await kit.until('without a site, there is no link to Fleet', async () => (await page.locator('nav a:has-text("Fleet")').count()) === 0);
  for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('main[data-view="outputs"]');
  await kit.until('the title names the view', async () => (await page.title()) === 'Outputs · khor');
  await kit.until('the focus is on the view', async () => await page.evaluate(() => document.activeElement?.tagName === 'MAIN'));
  await page.goBack();
  await page.waitForSelector('main[data-view="now"]');
  kit.check(true, 'the back button opens the previous view');
  await page.context().close();
}

/** Checks the compressed size of the files that the first page load fetches, without the API's
 *  answers. Also prints the time of the first paint. */
async function weigh(kit) {
  const page = await kit.open('/');
  const names = await page.evaluate(() => [location.href, ...performance.getEntriesByType('resource').map((it) => it.name)]);
  const assets = [...new Set(names)].filter((name) => !new URL(name).pathname.startsWith('/api/'));
  let bytes = 0;
  for (const name of assets) bytes += gzipSync(Buffer.from(await (await fetch(name)).arrayBuffer())).length;
  kit.check(bytes > 50_000 && bytes <= MOST_WEIGHT_BYTES, `the first load has ${bytes} bytes, compressed`);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null);
  kit.check(paint !== null, `the first paint is after ${Math.round(paint)} ms`);
  await page.context().close();
}

export async function look(kit) {
  await weigh(kit);
  await walk(kit);
  for (const [view, path] of Object.entries(VIEWS)) await lookAtAll(kit, view, path);
}
