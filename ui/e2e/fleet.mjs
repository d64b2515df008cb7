// Tests the Fleet view with an engine that plays a site, which is a group of hosts. Some hosts
// stand out, some are silent, and one host is played alone. With many hosts, the layout must stay
// stable.
import { SLOWNESS } from './kit.mjs';
import { lookAtAll } from './look.mjs';

/** Largest allowed layout shift. CSS transforms move the cells and do not count as layout shifts,
 *  so only text can cause a shift. */
const MOST_SHIFT = 0.01;

/** Window sizes of a wide screen, a laptop and a phone, in CSS pixels. */
const SIZES = [
  [1920, 1080],
  [1280, 800],
  [390, 844],
];

const fleetOf = (kit) => kit.api('/api/fleet');
const onlyHost = async (kit) => (await kit.config()).site.host;

async function openFleet(kit) {
  const page = await kit.open('/');
  await page.waitForSelector('nav a:has-text("Fleet")');
  await kit.visit(page, 'Fleet');
  await page.waitForSelector('.field .host');
  return page;
}

/** Checks that the page shows all hosts, soloists and silent hosts that the API reports. */
async function shows(kit, page) {
  const { hosts, soloists } = await fleetOf(kit);
  const cells = await page.$$eval('.field [data-host]', (all) => all.map((it) => it.dataset.host));
  kit.check(hosts.every(({ name }) => cells.includes(name)) && cells.length === hosts.length, `all ${hosts.length} hosts are shown`);
  for (const name of soloists) {
    const shown = async () => (await page.getAttribute(`[data-host="${name}"]`, 'data-voices')) === 'true';
    await kit.until(`${name} is shown with the voices`, async () => (await shown()) || !(await fleetOf(kit)).soloists.includes(name));
  }
  const silent = hosts.filter(({ state }) => state === 'silent').map(({ name }) => name);
  for (const name of silent.slice(0, 3)) {
    await kit.until(`${name} is shown as silent`, async () => (await page.getAttribute(`[data-host="${name}"]`, 'data-state')) === 'silent');
    await kit.until(`screen readers read that ${name} is silent`, async () => (await page.getAttribute(`[data-host="${name}"]`, 'aria-label'))?.includes('silent') === true);
  }
  await kit.until('the headline says that hosts are silent', async () => silent.length === 0 || (await page.textContent('h1'))?.includes('silent') === true);
  const sections = [...new Set(hosts.map(({ section }) => section))];
  const titles = await page.$$eval('.field h2', (all) => all.map((it) => it.firstChild?.textContent.trim()));
  kit.check(sections.every((section) => titles.includes(section ?? 'no section')), `sections ${titles.join(', ')}`);
  await kit.until('the field of hosts has one tab stop', async () => (await page.locator('.field [tabindex="0"]').count()) === 1);
}

/** Tests that the user can make one host play alone, first with the mouse and then with the
 *  keyboard. */
async function playsAlone(kit, page, name) {
  await page.click(`[data-host="${name}"]`);
  await kit.until(`${name} plays alone`, async () => (await onlyHost(kit)) === name && (await fleetOf(kit)).alone?.host === name);
  kit.check((await fleetOf(kit)).soloists.length === 0, 'no other host has the voices');
  await kit.until('the headline names the host', async () => (await page.textContent('h1')).startsWith(`${name} alone`) || (await page.textContent('h1')));
  await kit.until('its cell is pressed', async () => (await page.getAttribute(`[data-host="${name}"]`, 'aria-pressed')) === 'true');
  await kit.until('screen readers read the change', async () => (await page.textContent('.fleet [aria-live]')).includes(`${name} plays alone`));
  await kit.axeFinds(page, 'one host plays alone');
  await kit.shot(page, `fleet-alone-${name}`);
  await page.locator(`[data-host="${name}"]`).focus();
  await page.keyboard.press('Escape');
  await kit.until('after Escape, all hosts play', async () => (await onlyHost(kit)) === null && (await fleetOf(kit)).alone === null);

  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-host'));
  await page.keyboard.press('Home');
  const first = await focused();
  await page.keyboard.press('ArrowRight');
  const second = await focused();
  kit.check(first !== null && second !== null && first !== second, `arrow keys move from ${first} to ${second}`);
  await kit.until('the details show the focused host', async () => (await page.textContent('#host-title')) === second);
  await page.keyboard.press('Enter');
  await kit.until(`after Enter, ${second} plays alone`, async () => (await onlyHost(kit)) === second);
  await page.click('#all-hosts');
  await kit.until('after a press on All together, all hosts play', async () => (await onlyHost(kit)) === null);
}

/** Selects the mode `sections` (a pulse for each section) and then the mode `ensemble` (one pulse
 *  for all hosts), and checks that the engine changes its mode. */
async function playsBySections(kit, page) {
  await page.selectOption('#site-mode', 'sections');
  await kit.until('each section has its own pulse', async () => ((fleet) => fleet.mode === 'sections' && fleet.sections.length === 2)(await fleetOf(kit)));
  await kit.axeFinds(page, 'sections');
  await page.selectOption('#site-mode', 'ensemble');
  await kit.until('all hosts play as one again', async () => (await fleetOf(kit)).mode === 'ensemble');
}

/** Tests the Fleet view with a site of three hosts: one is busy, one is silent, and one is as
 *  usual. */
async function few(kit) {
  const page = await openFleet(kit);
  await shows(kit, page);
  await kit.until('the headline names the host that stands out', async () => (await page.textContent('h1')).includes('web-2 stands out') || (await page.textContent('h1')));
  await playsBySections(kit, page);
  await playsAlone(kit, page, 'web-1');
  await kit.visit(page, 'Now');
  await kit.visit(page, 'Fleet');
  await page.click('[data-host="db"]');
  await kit.until('a silent host that plays alone is a problem with a fix', async () => (await page.textContent('.fleet .head')).includes('systemctl status khor-relay') || (await page.textContent('.fleet .head')));
  const bar = async () => (await kit.api('/api/metrics')).music.bar;
  const before = await bar();
  await kit.axeFinds(page, 'a silent host plays alone');
  await kit.shot(page, 'fleet-alone-silent');
  await kit.visit(page, 'Now');
  await kit.until('the view Now shows the problem', async () => (await page.textContent('.say')).includes('db has stopped sending') || (await page.textContent('.say')));
  await kit.until('the music continues', async () => (await bar()) > before);
  await kit.visit(page, 'Fleet');
  await page.click('#alone');
  await kit.until('after a press on the host’s button, all hosts play', async () => (await onlyHost(kit)) === null);
  await page.context().close();
  const still = await kit.open('/fleet', { viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  await still.waitForSelector('.field .host');
  kit.check(await still.evaluate(() => getComputedStyle(document.querySelector('.host')).transitionProperty === 'none'), 'cells do not move if the user prefers reduced motion');
  await still.context().close();
  await lookAtAll(kit, 'fleet-few', '/fleet', SIZES);
}

/** Checks that the rest of the page stays in place while the cells of the hosts change places. */
async function calm(kit, page, what) {
  const places = () => page.$$eval('.field .host', (all) => all.map((it) => it.style.transform).join());
  await page.mouse.move(0, 0);
  await page.evaluate(() => (globalThis.shifts = []));
  const before = await places();
  await kit.until(`${what}: hosts change places`, async () => (await places()) !== before);
  await page.waitForTimeout(2500);
  const shifts = await page.evaluate(() => globalThis.shifts);
  const moved = shifts.reduce((sum, shift) => sum + shift.by, 0);
  kit.check(moved < MOST_SHIFT, `${what}: no other element moves (layout shift ${moved.toFixed(4)} ${JSON.stringify(shifts.slice(0, 3))})`);
}

async function manyHosts(kit, name) {
  const page = await openFleet(kit);
  await shows(kit, page);
  const text = await page.textContent('.fleet aside');
  for (const words of ['behind: set it by NTP', 'Two relays use this host name', 'rejected']) kit.check(text.includes(words), `the page shows: ${words}`);
  const debug = await page.context().newCDPSession(page);
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => (await debug.send('Performance.getMetrics')).metrics.find((it) => it.name === 'TaskDuration').value;
  const [begun, at] = [await busy(), performance.now()];
  await calm(kit, page, name);
  const share = (await busy() - begun) / ((performance.now() - at) / 1000);
  console.log(`figure: ${name}: the page's thread is busy ${(100 * share).toFixed(1)} % of the time`);
  kit.check(share < 0.5 * SLOWNESS, 'the page’s thread is busy less than half of the time, scaled by the speed of this machine');
  return page;
}

async function dozens(kit) {
  const page = await manyHosts(kit, 'dozens');
  await page.context().close();
  await lookAtAll(kit, 'fleet-dozens', '/fleet', SIZES);
}

async function most(kit) {
  const page = await manyHosts(kit, 'most');
  const { hosts } = await fleetOf(kit);
  await playsAlone(kit, page, hosts.filter(({ state }) => state === 'live').at(-1).name);
  await page.context().close();
  await lookAtAll(kit, 'fleet-most', '/fleet', SIZES);
}

export const SITES = { few, dozens, most };
