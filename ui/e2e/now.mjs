// Drives the page in a real browser against a running engine: node e2e/now.mjs <base url> <shots dir> [--expect-rise <signal>]
// While it watches the charts (up to 15 s) the caller makes load; it exits non-zero with what failed.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const SIGNALS = ['exec', 'fork', 'rx', 'tx', 'retx', 'io', 'stall', 'mem', 'cpu', 'csw', 'irq'];
const SIZES = [
  [1440, 1000],
  [768, 1024],
  [390, 844],
];
const SCHEMES = ['dark', 'light'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const WATCH_MS = 15_000;
/** A rise is a rate at least this many times what it was when the page opened, or from nothing to something. */
const RISE = 3;
/** Cumulative layout shift; browsers call 0.1 good, and a sentence that gains a line on a phone costs about 0.06. */
const MOST_SHIFT = 0.1;

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { 'expect-rise': { type: 'string' } } });
const [base, shots] = positionals;
if (!base || !shots) {
  console.error('usage: node e2e/now.mjs <base url> <shots dir> [--expect-rise <signal>]');
  process.exit(2);
}
mkdirSync(shots, { recursive: true });

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const troubles = [];
const done = (what) => console.log(`ok: ${what}`);
const check = (holds, what) => (holds ? done(what) : troubles.push(what));
const api = async (where) => (await fetch(new URL(where, base))).json();

async function until(what, probe, ms = 5000) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    last = await probe();
    if (last === true) return check(true, what);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  check(false, `${what} (last seen: ${JSON.stringify(last)})`);
}

/** Pages report whatever a person with the console open would see. */
async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console error: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`page error: ${error.message}`));
  page.on('requestfailed', (request) => {
    // What is under way when a page is left or reloaded is aborted; nothing else may fail.
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') troubles.push(`request failed: ${request.url()} ${why}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`HTTP ${response.status()}: ${response.url()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(base).origin) troubles.push(`request off the site: ${request.url()}`);
  });
  await page.addInitScript(() => {
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const it of list.getEntries()) if (!it.hadRecentInput) globalThis.shifts.push({ by: it.value, of: it.sources.map((source) => source.node?.className ?? source.node?.nodeName) });
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(base);
  await page.waitForSelector('main[data-link="live"]', { timeout: 10_000 });
  await page.waitForSelector('#preset:not([disabled])', { timeout: 10_000 });
  return { context, page };
}

const laneRate = async (page, signal) => {
  const text = await page.getAttribute(`.lane[data-signal="${signal}"]`, 'data-rate');
  return text === null || text === '' ? null : Number(text);
};

async function look(browser) {
  for (const [width, height] of SIZES)
    for (const colorScheme of SCHEMES) {
      const name = `now-${width}-${colorScheme}`;
      const { context, page } = await open(browser, { viewport: { width, height }, colorScheme });
      await page.waitForTimeout(1500);
      const lanes = await page.$$eval('.lane', (all) => all.map((lane) => lane.dataset.signal));
      check(SIGNALS.every((signal) => lanes.includes(signal)), `${name}: all ${SIGNALS.length} lanes (found ${lanes.join(' ')})`);
      const shifts = await page.evaluate(() => globalThis.shifts);
      const moved = shifts.reduce((sum, shift) => sum + shift.by, 0);
      check(moved < MOST_SHIFT, `${name}: nothing jumps (layout shift ${moved.toFixed(4)}${moved < MOST_SHIFT ? '' : `: ${JSON.stringify(shifts)}`})`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(over <= 0, `${name}: no horizontal overflow (${over} px)`);
      // CSP forbids injected script tags; the debugger's evaluate is not held by it.
      await page.evaluate(axeSource);
      const axe = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      const found = axe.violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.target.join(' ')).join(', ')}`);
      check(found.length === 0, `${name}: no accessibility violations${found.length > 0 ? ` (${found.join('; ')})` : ''}`);
      await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
      await context.close();
    }
}

const pixels = (page, selector) =>
  page.$$eval(selector, (all) => all.map((canvas) => canvas.toDataURL()));

async function watch(page) {
  const signal = flags['expect-rise'];
  const first = signal ? await laneRate(page, signal) : null;
  const charts = await pixels(page, '.chart canvas');
  const score = await pixels(page, '.roll canvas');
  check(charts.length > 0, 'there are charts');
  await page.waitForTimeout(3000);
  await until('charts move', async () => (await pixels(page, '.chart canvas')).some((picture, i) => picture !== charts[i]), WATCH_MS);
  await until('the score moves', async () => (await pixels(page, '.roll canvas'))[0] !== score[0], WATCH_MS);
  if (!signal) return;
  await until(
    `${signal} rises from ${first}`,
    async () => {
      const rate = await laneRate(page, signal);
      return rate !== null && rate > 0 && rate >= (first ?? 0) * RISE ? true : rate;
    },
    WATCH_MS,
  );
  await page.waitForTimeout(4000); // the sentence speaks of three-second means
  await page.screenshot({ path: path.join(shots, 'now-under-load.png'), fullPage: true });
}

async function change(page) {
  const before = await api('/api/config');
  const { presets } = await api('/api/presets');
  const preset = presets.find((it) => it.name !== before.music.preset)?.name;
  if (preset !== undefined) {
    await page.selectOption('#preset', preset);
    await until(`preset ${preset} reaches the config`, async () => (await api('/api/config')).music.preset === preset);
    await until(`preset ${preset} reaches the music`, async () => (await api('/api/metrics')).controls.preset === preset);
  }

  const bpm = (await api('/api/config')).music.bpm === 96 ? 97 : 96;
  await page.fill('#bpm', String(bpm));
  await page.press('#bpm', 'Enter');
  await until(`tempo ${bpm} reaches the config`, async () => (await api('/api/config')).music.bpm === bpm);
  await until(`tempo ${bpm} reaches the music`, async () => (await api('/api/metrics')).controls.bpm === bpm);

  const muted = (await api('/api/metrics')).controls.muted;
  await page.click('#mute');
  await until(`mute turns ${!muted}`, async () => (await api('/api/metrics')).controls.muted === !muted);

  const other = await page.context().newPage();
  await other.goto(base);
  await other.waitForSelector('#preset:not([disabled])');
  await page.locator('#density').focus();
  await page.keyboard.press('ArrowRight');
  const density = Number(await page.inputValue('#density')) / 100;
  await until(`density ${density} reaches the config by keyboard`, async () => (await api('/api/config')).music.density === density);
  await until('a second tab keeps in step', async () => Number(await other.inputValue('#density')) / 100 === density);
  await other.close();

  await page.reload();
  await page.waitForSelector('#preset:not([disabled])');
  if (preset !== undefined) check((await page.inputValue('#preset')) === preset, 'the preset survives a reload');
  check((await page.inputValue('#bpm')) === String(bpm), 'the tempo survives a reload');
  check((await page.getAttribute('#mute', 'aria-pressed')) === String(!muted), 'mute survives a reload');

  // Left as it was found.
  await page.click('#mute');
  await until(`mute turns back to ${muted}`, async () => (await api('/api/metrics')).controls.muted === muted);
  await page.selectOption('#preset', before.music.preset);
  await until('the old preset is back', async () => (await api('/api/config')).music.preset === before.music.preset);
  await page.fill('#bpm', String(before.music.bpm));
  await page.press('#bpm', 'Enter');
  await until('the old tempo is back', async () => (await api('/api/config')).music.bpm === before.music.bpm);
  await page.locator('#density').focus();
  await page.keyboard.press('ArrowLeft');
  await until('the old density is back', async () => Math.abs((await api('/api/config')).music.density - before.music.density) < 0.006);
}

/** The engine is heard in the browser, and what it plays is recorded and fetched. */
async function listen(page) {
  await page.click('#listen');
  const said = () => page.textContent('#listen-state');
  await until('the engine is heard in the browser', async () => /^\d+ ms behind/.test((await said()) ?? '') || (await said()), 10_000);
  await page.waitForTimeout(4000);
  const text = (await said()) ?? '';
  check(/^\d{2,3} ms behind, no gaps$/.test(text), `it is heard without gaps, soon (${text})`);
  await until('the engine knows its listener', async () => (await api('/api/health')).listen.listeners === 1);

  await page.click('#record');
  await until('it is being recorded', async () => (await page.getAttribute('#record', 'aria-pressed')) === 'true');
  await until('for two seconds', async () => (await api('/api/recording')).seconds >= 2);
  await page.screenshot({ path: path.join(shots, 'now-listening.png'), fullPage: true });
  await page.click('#record');
  await until('the recording can be fetched', async () => {
    const file = await page.getAttribute('#record-state a', 'href').catch(() => null);
    if (file === null) return false;
    const bytes = new Uint8Array(await (await fetch(new URL(file, base))).arrayBuffer());
    return String.fromCharCode(...bytes.slice(0, 4)) === 'fLaC' && bytes.length > 10_000;
  });

  await page.click('#listen');
  await until('and the listener is gone', async () => (await api('/api/health')).listen.listeners === 0);
  // A failure of it would be an error in the console, and of an HTTP status.
  await Promise.all([page.waitForResponse((answer) => answer.url().endsWith('/api/actions/panic') && answer.ok()), page.click('#panic')]);
  check(true, 'all notes off is answered');
}

/** A refused value is put back, with the engine's own words beside the control. */
async function refuse(browser) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await context.newPage();
  await page.goto(base);
  await page.waitForSelector('#bpm:not([disabled])');
  const before = (await api('/api/config')).music.bpm;
  await page.fill('#bpm', '999');
  await page.press('#bpm', 'Enter');
  await until('a refused tempo shows why', async () => /bpm/.test((await page.textContent('#bpm-error')) ?? ''));
  check((await page.inputValue('#bpm')) === String(before), 'a refused tempo is put back');
  check((await api('/api/config')).music.bpm === before, 'a refused tempo changes nothing');
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
try {
  const { context, page } = await open(browser, { viewport: { width: 1440, height: 1000 }, colorScheme: 'dark' });
  await watch(page);
  await change(page);
  await listen(page);
  await context.close();
  await refuse(browser);
  await look(browser);
} catch (error) {
  troubles.push(error.stack ?? String(error));
} finally {
  await browser.close();
}
for (const trouble of troubles) console.error(`FAILED: ${trouble}`);
console.log(troubles.length === 0 ? 'all well' : `${troubles.length} failures`);
process.exit(troubles.length === 0 ? 0 : 1);
