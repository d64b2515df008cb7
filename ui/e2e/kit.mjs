// Helpers of all browser tests: the browser, pages that report every error, checks, and requests to
// the engine.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'];

export const WIDE = { viewport: { width: 1440, height: 1000 }, colorScheme: 'dark' };

/** A step that takes longer counts as hung. The Rust test sets the time for this machine. */
export const HANG_MS = Number(process.env.KHOR_HANG_MS ?? 30_000);
/** How many times as slow as the reference machine this machine is; at least 1. */
export const SLOWNESS = Number(process.env.KHOR_SLOWNESS ?? 1);

export class Kit {
  troubles = [];

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
    else this.trouble(what);
  }

  /** Records a failure. Prints it at once, so that the log shows when it happened. */
  trouble(what) {
    console.log(`FAILED: ${what}`);
    this.troubles.push(what);
  }

  api = async (where) => (await fetch(new URL(where, this.base))).json();

  config = () => this.api('/api/config');

  async until(what, probe) {
    const end = Date.now() + HANG_MS;
    let last;
    while (Date.now() < end) {
      last = await probe();
      if (last === true) return this.check(true, what);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    this.check(false, `${what} (last seen: ${JSON.stringify(last)})`);
  }

  /** Opens a page that reports all errors of the console. */
  async open(where, options = WIDE) {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    // HTTP 412 means that the settings have changed. The page then fetches them and continues.
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 412/.test(message.text())) this.trouble(`console error: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.trouble(`page error: ${error.message}`));
    page.on('requestfailed', (request) => {
      // Leaving or reloading a page aborts its requests. No other request may fail.
      const why = request.failure()?.errorText;
      if (why !== 'net::ERR_ABORTED') this.trouble(`request failed: ${request.url()} ${why}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400 && response.status() !== 412) this.trouble(`HTTP ${response.status()}: ${response.url()}`);
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(this.base).origin && !request.url().startsWith('data:')) this.trouble(`request off the site: ${request.url()}`);
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

  /** Waits until the code of the view is loaded. */
  loaded = (page) => page.waitForSelector('main .loading', { state: 'detached' });

  /** Opens a view by its link, as a user does. */
  async visit(page, title) {
    await page.click(`nav a:has-text("${title}")`);
    await page.waitForSelector(`main[data-view="${title.toLowerCase()}"]`);
    await this.loaded(page);
  }

  async axeFinds(page, what) {
    // CSP forbids injected script tags, but not evaluation by the debugger.
    await page.evaluate(this.axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const found = violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.target.join(' ')).join(', ')}`);
    this.check(found.length === 0, `${what}: no accessibility violations${found.length > 0 ? ` (${found.join('; ')})` : ''}`);
  }

  /** Takes a picture of the whole page. The viewport becomes as high as the page, so that elements
   *  at the bottom of the viewport have their place. */
  async shot(page, name) {
    const { width, height } = page.viewportSize();
    const whole = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width, height: Math.max(height, whole) });
    await page.waitForTimeout(250);
    await page.screenshot({ path: path.join(this.shots, `${name}.png`) });
    await page.setViewportSize({ width, height });
  }

  /** Changes a setting by `act`, waits until the config has it, and restores the old value. */
  async changes(what, read, wanted, act, back) {
    const before = read(await this.config());
    await act();
    await this.until(`${what} reaches the config`, async () => same(read(await this.config()), wanted) || read(await this.config()));
    await back(before);
    await this.until(`${what} is put back`, async () => same(read(await this.config()), before) || read(await this.config()));
  }

  async fill(page, selector, text) {
    await page.fill(selector, String(text));
    await page.locator(selector).blur();
  }

  /** Moves a slider by keyboard, one step up and one step down. */
  async slides(page, selector, what, read) {
    const before = read(await this.config());
    const up = Number(await page.inputValue(selector)) < Number(await page.getAttribute(selector, 'max'));
    await page.locator(selector).press(up ? 'ArrowRight' : 'ArrowLeft');
    await this.until(`${what} reaches the config by keyboard`, async () => read(await this.config()) !== before);
    await page.locator(selector).press(up ? 'ArrowLeft' : 'ArrowRight');
    await this.until(`${what} is put back`, async () => Math.abs(read(await this.config()) - before) < 0.006);
  }

  /** Flips a switch twice. */
  async flips(page, selector, what, read) {
    const before = read(await this.config());
    await this.changes(what, read, !before, () => page.click(selector), () => page.click(selector));
  }

  /** Selects another entry of a list, then the old one. */
  async picks(page, selector, what, read) {
    const before = await page.inputValue(selector);
    const values = await page.$$eval(`${selector} option`, (all) => all.map((option) => option.value));
    const other = values.find((value) => value !== before);
    if (other === undefined) return console.log(`ok: ${what} has one choice only`);
    await this.changes(what, (config) => String(read(config)), other, () => page.selectOption(selector, other), () => page.selectOption(selector, before));
  }
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
