// Every view at three widths in both themes: nothing overflows or jumps, axe finds nothing, and a picture is kept to look at.
const VIEWS = { now: '/', compose: '/compose', outputs: '/outputs', machine: '/machine', learn: '/learn' };
const SIZES = [
  [1440, 1000],
  [768, 1024],
  [390, 844],
];
const SCHEMES = ['dark', 'light'];
/** Cumulative layout shift; browsers call 0.1 good, and a sentence that gains a line on a phone costs about 0.06. */
const MOST_SHIFT = 0.1;

async function lookAt(kit, view, [width, height], colorScheme) {
  const name = `${view}-${width}-${colorScheme}`;
  const page = await kit.open(VIEWS[view], { viewport: { width, height }, colorScheme });
  await page.waitForTimeout(1500);
  const shifts = await page.evaluate(() => globalThis.shifts);
  const moved = shifts.reduce((sum, shift) => sum + shift.by, 0);
  kit.check(moved < MOST_SHIFT, `${name}: nothing jumps (layout shift ${moved.toFixed(4)}${moved < MOST_SHIFT ? '' : `: ${JSON.stringify(shifts)}`})`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  kit.check(over <= 0, `${name}: no horizontal overflow (${over} px)`);
  await kit.axeFinds(page, name);
  await kit.shot(page, name);
  await page.context().close();
}

/** The way between the views by keyboard alone, and the title that says where one is. */
async function walk(kit) {
  const page = await kit.open('/');
  await page.keyboard.press('Tab');
  kit.check((await page.evaluate(() => document.activeElement?.className)) === 'skip', 'the first stop skips to the view');
  for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('main[data-view="outputs"]');
  kit.check((await page.title()) === 'Outputs · khor', 'the title says which view it is');
  kit.check(await page.evaluate(() => document.activeElement?.tagName === 'MAIN'), 'the focus goes with it');
  await page.goBack();
  await page.waitForSelector('main[data-view="now"]');
  kit.check(true, 'the back button goes back');
  await page.context().close();
}

export async function look(kit) {
  await walk(kit);
  for (const view of Object.keys(VIEWS)) for (const size of SIZES) for (const scheme of SCHEMES) await lookAt(kit, view, size, scheme);
}
