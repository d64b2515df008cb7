// Helpers for all browser tests: they start the browser, open pages, record errors, check
// conditions, and send requests to the engine.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'];

export const WIDE = { viewport: { width: 1440, height: 1000 }, colorScheme: 'dark' };

/** Time limit of a test step, in milliseconds. A step that takes longer has failed. The Rust test
 *  that starts this script sets the limit. */
export const HANG_MS = Number(process.env.KHOR_HANG_MS ?? 30_000);
/** How many times slower this machine is than the reference machine; at least 1. */
export const SLOWNESS = Number(process.env.KHOR_SLOWNESS ?? 1);

export class Kit {
  failures = [];

  constructor(base, shots) {
    this.base = base;
    this.shots = shots;
    mkdirSync(shots, { recursive: true });
    this.axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  }

  async start() {
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
    const newContext = this.browser.newContext.bind(this.browser);
    this.browser.newContext = async (options) => {
      const context = await newContext(options);
      context.setDefaultTimeout(HANG_MS);
      return context;
    };
  }

  check(holds, what) {
    if (holds) console.log(`ok: ${what}`);
    else this.fail(what);
  }

  /** Records a failure and prints it at once, so that the log shows when it happened. */
  fail(what) {
    console.log(`FAILED: ${what}`);
    this.failures.push(what);
  }

  api = async (where) => (await fetch(new URL(where, this.base))).json();

  config = () => this.api('/api/config');

  /** Waits until `probe` returns true. After a timeout, records a failure with the last result of
   *  `probe`. */
  async until(what, probe) {
    const end = Date.now() + HANG_MS;
    let last;
    while (Date.now() < end) {
      last = await probe();
      if (last === true) return this.check(true, what);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    this.check(false, `${what} (last result: ${JSON.stringify(last)})`);
  }

  /** Opens a page, and records each error in its console and each failed request as a test
   *  failure. */
  async open(where, options = WIDE) {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    // HTTP 412 is not a failure: it means that another client has changed the settings, and the
    // page sends its edit again.
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 412/.test(message.text())) this.fail(`console error: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.fail(`page error: ${error.message}`));
    page.on('requestfailed', (request) => {
      // The browser aborts requests when a page is closed or reloaded. Any other failed request is
      // a test failure.
      const why = request.failure()?.errorText;
      if (why !== 'net::ERR_ABORTED') this.fail(`request failed: ${request.url()} ${why}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400 && response.status() !== 412) this.fail(`HTTP ${response.status()}: ${response.url()}`);
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(this.base).origin && !request.url().startsWith('data:')) this.fail(`request to another server: ${request.url()}`);
    });
    await page.addInitScript(() => {
      globalThis.shifts = [];
      new PerformanceObserver((list) => {
        for (const it of list.getEntries()) if (!it.hadRecentInput) globalThis.shifts.push({ by: it.value, of: it.sources.map((source) => source.node?.className ?? source.node?.nodeName) });
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(new URL(where, this.base).href);
    await this.ready(page);
    return page;
  }

  async ready(page) {
    await page.waitForSelector('main[data-link="live"]');
    await page.waitForSelector('#mute:not([disabled])');
    await this.loaded(page);
  }

  /** Waits until the browser has loaded the code of the view that is open. */
  loaded = (page) => page.waitForSelector('main .loading', { state: 'detached' });

  /** Opens a view by clicking the link to it. */
  async visit(page, title) {
    await page.click(`nav a:has-text("${title}")`);
    await page.waitForSelector(`main[data-view="${title.toLowerCase()}"]`);
    await this.loaded(page);
  }

  async axeFinds(page, what) {
    // The content security policy blocks script elements, but not code that the debugger evaluates.
    await page.evaluate(this.axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const found = violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.target.join(' ')).join(', ')}`);
    this.check(found.length === 0, `${what}: no accessibility violations${found.length > 0 ? ` (${found.join('; ')})` : ''}`);
  }

  /** Takes a screenshot of the whole page. The window first becomes as high as the page, so that
   *  elements fixed to the bottom of the window appear at the bottom of the page. */
  async shot(page, name) {
    const { width, height } = page.viewportSize();
    const whole = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width, height: Math.max(height, whole) });
    await page.waitForTimeout(250);
    await page.screenshot({ path: path.join(this.shots, `${name}.png`) });
    await page.setViewportSize({ width, height });
  }

  /** Changes a setting with `act`, waits until the engine's config has the value `wanted`, and
   *  restores the old value with `back`. */
  async changes(what, read, wanted, act, back) {
    const before = read(await this.config());
    await act();
    await this.until(`${what} reaches the config`, async () => same(read(await this.config()), wanted) || read(await this.config()));
    await back(before);
    await this.until(`${what} is restored`, async () => same(read(await this.config()), before) || read(await this.config()));
  }

  async fill(page, selector, text) {
    await page.fill(selector, String(text));
    await page.locator(selector).blur();
  }

  /** Tests that a slider changes the config: moves it by one step with the keyboard, and then moves
   *  it back. */
  async slides(page, selector, what, read) {
    const before = read(await this.config());
    const up = Number(await page.inputValue(selector)) < Number(await page.getAttribute(selector, 'max'));
    await page.locator(selector).press(up ? 'ArrowRight' : 'ArrowLeft');
    await this.until(`${what} reaches the config by keyboard`, async () => read(await this.config()) !== before);
    await page.locator(selector).press(up ? 'ArrowLeft' : 'ArrowRight');
    await this.until(`${what} is restored`, async () => Math.abs(read(await this.config()) - before) < 0.006);
  }

  /** Tests that a switch changes the config: toggles it, and then toggles it back. */
  async flips(page, selector, what, read) {
    const before = read(await this.config());
    await this.changes(what, read, !before, () => page.click(selector), () => page.click(selector));
  }

  /** Tests that a drop-down list changes the config: selects another option, and then the old
   *  option again. */
  async picks(page, selector, what, read) {
    const before = await page.inputValue(selector);
    const values = await page.$$eval(`${selector} option`, (all) => all.map((option) => option.value));
    const other = values.find((value) => value !== before);
    if (other === undefined) return console.log(`ok: ${what} has only one option`);
    await this.changes(what, (config) => String(read(config)), other, () => page.selectOption(selector, other), () => page.selectOption(selector, before));
  }
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
