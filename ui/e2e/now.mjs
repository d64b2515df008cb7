// Tests the Now view: charts and score move, a real load raises the rate of its lane, the controls
// in the header and the keyboard shortcuts work, and the visualiser moves.
import { WIDE } from './kit.mjs';

const SIGNALS = ['exec', 'fork', 'rx', 'tx', 'local', 'retx', 'io', 'stall', 'mem', 'cpu', 'csw', 'irq'];
/** A lane counts as risen if its rate is not zero and is at least this many times its first
 *  rate. */
const RISE = 3;

const laneRate = async (page, signal) => {
  const text = await page.getAttribute(`.lane[data-signal="${signal}"]`, 'data-rate');
  return text === null || text === '' ? null : Number(text);
};
const pixels = (page, selector) => page.$$eval(selector, (all) => all.map((canvas) => canvas.toDataURL()));

/** Returns how far the score has scrolled to the left, in CSS pixels. */
const distance = (page) => page.$eval('.roll canvas', (canvas) => -new DOMMatrix(getComputedStyle(canvas).transform).e);

/** Returns twenty positions of the score, each with its time in milliseconds. The times are
 *  measured by the page's own clock, so delays of this script do not affect them. */
const places = (page) =>
  page.$eval('.roll canvas', async (canvas) => {
    const seen = [];
    for (let i = 0; i < 20; i++) {
      seen.push({ at: -new DOMMatrix(getComputedStyle(canvas).transform).e, ms: performance.now() });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return seen;
  });

async function scrolls(kit, page) {
  const seen = await places(page);
  // Ignore the jump that occurs when a new strip replaces the old one.
  const steps = seen.slice(1).map(({ at, ms }, i) => ({ px: at - seen[i].at, ms: ms - seen[i].ms })).filter(({ px }) => px >= 0);
  kit.check(steps.some(({ px }) => px > 0), 'the score scrolls');
  const speeds = steps.map(({ px, ms }) => (1000 * px) / ms);
  kit.check(speeds.every((speed) => speed < 100), `the score scrolls evenly (at most ${Math.max(...speeds).toFixed(0)} px a second)`);
}

/** Checks that the score does not scroll if the user prefers reduced motion. Instead, the
 *  score is a still picture that changes once a bar. */
async function still(kit) {
  const page = await kit.open('/', { ...WIDE, reducedMotion: 'reduce' });
  const first = (await pixels(page, '.roll canvas'))[0];
  const moving = await page.evaluate(() => document.getAnimations().length);
  kit.check(moving === 0 && (await distance(page)) === 0, 'with reduced motion, nothing moves');
  await kit.until('with reduced motion, the score is painted again', async () => (await pixels(page, '.roll canvas'))[0] !== first);
  await page.context().close();
}

async function watch(kit, page, signal) {
  const lanes = await page.$$eval('.lane', (all) => all.map((lane) => lane.dataset.signal));
  kit.check(SIGNALS.every((it) => lanes.includes(it)), `all ${SIGNALS.length} lanes are shown (found ${lanes.join(' ')})`);
  const first = signal ? await laneRate(page, signal) : null;
  await page.waitForSelector('.charts canvas');
  const charts = await pixels(page, '.charts canvas');
  const score = await pixels(page, '.roll canvas');
  kit.check(charts.length > 0, 'there are charts');
  await page.waitForTimeout(3000);
  await kit.until('charts move', async () => (await pixels(page, '.charts canvas')).some((picture, i) => picture !== charts[i]));
  await kit.until('the score moves', async () => (await pixels(page, '.roll canvas'))[0] !== score[0]);
  await scrolls(kit, page);
  if (!signal) return;
  await kit.until(
    `${signal} rises from ${first}`,
    async () => {
      const rate = await laneRate(page, signal);
      return rate !== null && rate > 0 && rate >= (first ?? 0) * RISE ? true : rate;
    },
  );
  await page.waitForTimeout(4000); // The sentence uses mean rates over three seconds.
  await kit.shot(page, 'now-under-load');
}

async function steer(kit, page) {
  const muted = async () => (await kit.api('/api/metrics')).controls.muted;
  const before = await muted();
  await page.click('#mute');
  await kit.until(`the mute button changes muted to ${!before}`, async () => (await muted()) === !before);
  await page.reload();
  await kit.ready(page);
  await kit.until('after a reload, the page shows the mute', async () => (await page.getAttribute('#mute', 'aria-pressed')) === String(!before));
  await page.click('#mute');
  await kit.until(`the mute button changes muted to ${before}`, async () => (await muted()) === before);

  await kit.slides(page, '#header-gain', 'the volume in the header', (config) => config.audio.master_gain);

  const until = async () => (await kit.api('/api/metrics')).controls.snoozed_until_ts_ms;
  await page.click('#snooze');
  await page.click('#snooze-menu [data-minutes="5"]');
  await kit.until('a snooze of five minutes starts', async () => Math.abs(((await until()) ?? 0) - Date.now() - 300_000) < 20_000);
  await kit.until('the snooze mutes', muted);
  await page.click('#snooze');
  await kit.axeFinds(page, 'the open snooze menu');
  await page.click('#snooze-menu [data-minutes="0"]');
  await kit.until('the snooze can be ended', async () => (await until()) === null && !(await muted()));
  await page.click('#snooze');
  await page.keyboard.press('Escape');
  await kit.until('Escape closes the snooze menu', async () => await page.isHidden('#snooze-menu'));

  const theme = () => page.evaluate(() => document.documentElement.dataset.theme ?? 'auto');
  await page.click('#theme');
  kit.check((await theme()) === 'light', 'the theme can be changed');
  await page.click('#theme');
  await page.click('#theme');
  kit.check((await theme()) === 'auto', 'the theme of the system can be selected');
}

/** Checks that the keyboard shortcuts work, except while the user types into a field. */
async function keys(kit, page) {
  const controls = async () => (await kit.api('/api/metrics')).controls;
  // The key s starts or ends a snooze, depending on the state that the page shows. The page shows
  // the end of a snooze later than the API does, so wait for the page.
  await page.waitForSelector('#snooze[data-on="false"]');
  await page.keyboard.press('s');
  await kit.until('the key s snoozes', async () => (await controls()).silence?.reason === 'snoozed');
  await kit.until('the page shows when the snooze ends', async () => /Snoozed until \d\d:\d\d\./.test((await page.textContent('.say')) ?? ''));
  await page.keyboard.press('m');
  await kit.until('the key m mutes during a snooze', async () => (await controls()).silence?.reason === 'muted');
  await kit.until('the page says that it is muted', async () => /Muted\./.test((await page.textContent('.say')) ?? ''));
  await page.click('#sound-again');
  await kit.until('the button Unmute unmutes', async () => !(await controls()).muted);
  await page.keyboard.press('?');
  await page.waitForSelector('dialog.keys[open]');
  await kit.axeFinds(page, 'the list of keys');
  await kit.shot(page, 'keys');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog.keys', { state: 'detached' });
  await kit.visit(page, 'Compose');
  await page.locator('#save-name').pressSequentially('ms');
  await page.waitForTimeout(600);
  kit.check(!(await controls()).muted && (await page.inputValue('#save-name')) === 'ms', 'letters in a text field are no shortcuts');
  await kit.visit(page, 'Now');
}

async function visual(kit, page) {
  await page.click('#look');
  await page.waitForSelector('dialog.visual[open]');
  const first = await pixels(page, 'dialog.visual canvas');
  await kit.until('the visualiser moves', async () => (await pixels(page, 'dialog.visual canvas'))[0] !== first[0]);
  await page.waitForTimeout(600);
  await kit.axeFinds(page, 'the visualiser');
  await kit.shot(page, 'visual');
  await page.click('#visual-close');
  await page.waitForSelector('dialog.visual', { state: 'detached' });
  kit.check(true, 'the visualiser closes');
}

export async function now(kit, signal) {
  await still(kit);
  const page = await kit.open('/');
  await watch(kit, page, signal);
  await steer(kit, page);
  await keys(kit, page);
  await visual(kit, page);
  await page.context().close();
}
