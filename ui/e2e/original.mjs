// Tests a web page that was written for the original version of khor and uses only its API. The
// page receives events by `onmessage`, which ignores events with a name.
import { WIDE } from './kit.mjs';

export async function original(kit) {
  const context = await kit.browser.newContext(WIDE);
  const page = await context.newPage();
  page.on('pageerror', (error) => kit.fail(`page error: ${error.message}`));
  // The engine serves the same page, the index page, at every path.
  await page.goto(new URL('/some/view', kit.base).href);
  await kit.until('the page receives ten events', async () => Number(await page.textContent('#events')) >= 10);
  const cards = await page.$$eval('#cards [data-rate]', (all) => Object.fromEntries(all.map((card) => [card.dataset.rate, card.textContent])));
  const names = ['exec_s', 'rx_kbs', 'tx_kbs', 'csw_s', 'blk_r_kbs', 'blk_w_kbs', 'retx_s', 'irq_s', 'mem_pct'];
  kit.check(names.every((name) => /^\d/.test(cards[name] ?? '')), `each card shows a number: ${JSON.stringify(cards)}`);
  await page.click('#apply');
  await kit.until('the page can change settings', async () => (await page.textContent('#applied')) === 'true');
  const { music, midi } = await kit.config();
  kit.check(music.bpm === 97 && music.key_midi === 57 && midi.channel === 2, `the engine has the settings of the page: ${JSON.stringify({ music, midi })}`);
  await context.close();
}
