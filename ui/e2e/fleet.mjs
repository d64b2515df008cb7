// The Fleet view of an engine that hears a site: who stands out and who is silent, one host alone and all again, and how calm many are.
import { SLOWNESS } from './kit.mjs';
import { lookAtAll } from './look.mjs';

/** Cells move by transforms, which shift nothing; what is left is text. */
const MOST_SHIFT = 0.01;

/** Wide, a laptop's, a phone's. */
const SIZES = [
  [1920, 1080],
  [1280, 800],
  [390, 844],
];

const fleetOf = (kit) => kit.api('/api/fleet');
const heardAlone = async (kit) => (await kit.config()).site.host;

async function arrive(kit) {
  const page = await kit.open('/');
  await page.waitForSelector('nav a:has-text("Fleet")');
  await kit.visit(page, 'Fleet');
  await page.waitForSelector('.field .host');
  return page;
}

/** The engine's own words are the page's: hosts, sections, soloist, silent ones. */
async function shows(kit, page) {
  const { hosts, soloists } = await fleetOf(kit);
  const cells = await page.$$eval('.field [data-host]', (all) => all.map((it) => it.dataset.host));
  kit.check(hosts.every(({ name }) => cells.includes(name)) && cells.length === hosts.length, `all ${hosts.length} hosts are there`);
  for (const name of soloists) {
    const shown = async () => (await page.getAttribute(`[data-host="${name}"]`, 'data-voices')) === 'true';
    await kit.until(`${name} is shown with the voices`, async () => (await shown()) || !(await fleetOf(kit)).soloists.includes(name));
  }
  const silent = hosts.filter(({ state }) => state === 'silent').map(({ name }) => name);
  for (const name of silent.slice(0, 3)) {
    await kit.until(`${name} is shown as silent`, async () => (await page.getAttribute(`[data-host="${name}"]`, 'data-state')) === 'silent');
    await kit.until(`${name} is told as silent`, async () => (await page.getAttribute(`[data-host="${name}"]`, 'aria-label'))?.includes('silent') === true);
  }
  await kit.until('the headline says who is silent', async () => silent.length === 0 || (await page.textContent('h1'))?.includes('silent') === true);
  const sections = [...new Set(hosts.map(({ section }) => section))];
  const titles = await page.$$eval('.field h2', (all) => all.map((it) => it.firstChild?.textContent.trim()));
  kit.check(sections.every((section) => titles.includes(section ?? 'no section')), `sections ${titles.join(', ')}`);
  await kit.until('the field is one stop of the keyboard', async () => (await page.locator('.field [tabindex="0"]').count()) === 1);
}

/** By the mouse, then by the keyboard. */
async function hearsAlone(kit, page, name) {
  await page.click(`[data-host="${name}"]`);
  await kit.until(`${name} is heard alone`, async () => (await heardAlone(kit)) === name && (await fleetOf(kit)).alone?.host === name);
  kit.check((await fleetOf(kit)).soloists.length === 0, 'then nobody else has the voices');
  await kit.until('the page says so', async () => (await page.textContent('h1')).startsWith(`${name} alone`) || (await page.textContent('h1')));
  await kit.until('and its cell is pressed', async () => (await page.getAttribute(`[data-host="${name}"]`, 'aria-pressed')) === 'true');
  await kit.until('those who hear the page are told', async () => (await page.textContent('.fleet [aria-live]')).includes(`${name} is heard alone`));
  await kit.axeFinds(page, 'one host alone');
  await kit.shot(page, `fleet-alone-${name}`);
  await page.locator(`[data-host="${name}"]`).focus();
  await page.keyboard.press('Escape');
  await kit.until('Escape hears all again', async () => (await heardAlone(kit)) === null && (await fleetOf(kit)).alone === null);

  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-host'));
  await page.keyboard.press('Home');
  const first = await focused();
  await page.keyboard.press('ArrowRight');
  const second = await focused();
  kit.check(first !== null && second !== null && first !== second, `arrows move: ${first}, then ${second}`);
  await kit.until('what the keyboard is at is told beside', async () => (await page.textContent('#host-title')) === second);
  await page.keyboard.press('Enter');
  await kit.until(`Enter hears ${second} alone`, async () => (await heardAlone(kit)) === second);
  await page.click('#all-hosts');
  await kit.until('a button hears all again', async () => (await heardAlone(kit)) === null);
}

/** How the site is played is chosen where its hosts are. */
async function playsBySections(kit, page) {
  await page.selectOption('#site-mode', 'sections');
  await kit.until('each section plays by itself', async () => ((fleet) => fleet.mode === 'sections' && fleet.sections.length === 2)(await fleetOf(kit)));
  await kit.axeFinds(page, 'sections');
  await page.selectOption('#site-mode', 'ensemble');
  await kit.until('all play together again', async () => (await fleetOf(kit)).mode === 'ensemble');
}

/** Three hosts with relays of their own: one is loaded, one is silent. */
async function few(kit) {
  const page = await arrive(kit);
  await shows(kit, page);
  await kit.until('the headline names who stands out', async () => (await page.textContent('h1')).includes('web-2 stands out') || (await page.textContent('h1')));
  await playsBySections(kit, page);
  await hearsAlone(kit, page, 'web-1');
  await kit.visit(page, 'Now');
  await kit.visit(page, 'Fleet');
  await page.click('[data-host="db"]');
  await kit.until('a silent host is a state with a fix', async () => (await page.textContent('.fleet .head')).includes('systemctl status khor-relay') || (await page.textContent('.fleet .head')));
  const bar = async () => (await kit.api('/api/metrics')).music.bar;
  const before = await bar();
  await kit.axeFinds(page, 'a silent host alone');
  await kit.shot(page, 'fleet-alone-silent');
  await kit.visit(page, 'Now');
  await kit.until('Now says so too', async () => (await page.textContent('.say')).includes('db has stopped sending') || (await page.textContent('.say')));
  await kit.until('the music goes on', async () => (await bar()) > before);
  await kit.visit(page, 'Fleet');
  await page.click('#alone');
  await kit.until('and all are heard again', async () => (await heardAlone(kit)) === null);
  await page.context().close();
  const still = await kit.open('/fleet', { viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  await still.waitForSelector('.field .host');
  kit.check(await still.evaluate(() => getComputedStyle(document.querySelector('.host')).transitionProperty === 'none'), 'who wants no motion gets none');
  await still.context().close();
  await lookAtAll(kit, 'fleet-few', '/fleet', SIZES);
}

/** While they change places nothing else moves. */
async function calm(kit, page, what) {
  const places = () => page.$$eval('.field .host', (all) => all.map((it) => it.style.transform).join());
  await page.mouse.move(0, 0);
  await page.evaluate(() => (globalThis.shifts = []));
  const before = await places();
  await kit.until(`${what}: they change places`, async () => (await places()) !== before);
  await page.waitForTimeout(2500);
  const shifts = await page.evaluate(() => globalThis.shifts);
  const moved = shifts.reduce((sum, shift) => sum + shift.by, 0);
  kit.check(moved < MOST_SHIFT, `${what}: meanwhile nothing jumps (layout shift ${moved.toFixed(4)} ${JSON.stringify(shifts.slice(0, 3))})`);
}

async function crowd(kit, name) {
  const page = await arrive(kit);
  await shows(kit, page);
  const text = await page.textContent('.fleet aside');
  for (const words of ['behind: have it set by NTP', 'Two relays use this name', 'refused']) kit.check(text.includes(words), `it says: ${words}`);
  const debug = await page.context().newCDPSession(page);
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => (await debug.send('Performance.getMetrics')).metrics.find((it) => it.name === 'TaskDuration').value;
  const [begun, at] = [await busy(), performance.now()];
  await calm(kit, page, name);
  const share = (await busy() - begun) / ((performance.now() - at) / 1000);
  console.log(`figure: ${name}: the page's thread works ${(100 * share).toFixed(1)} % of the time`);
  kit.check(share < 0.5 * SLOWNESS, 'that is less than half, allowing for a slow machine');
  return page;
}

async function dozens(kit) {
  const page = await crowd(kit, 'dozens');
  await page.context().close();
  await lookAtAll(kit, 'fleet-dozens', '/fleet', SIZES);
}

async function most(kit) {
  const page = await crowd(kit, 'most');
  const { hosts } = await fleetOf(kit);
  await hearsAlone(kit, page, hosts.filter(({ state }) => state === 'live').at(-1).name);
  await page.context().close();
  await lookAtAll(kit, 'fleet-most', '/fleet', SIZES);
}

export const SITES = { few, dozens, most };
