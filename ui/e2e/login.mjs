// An engine that asks for its token: the page asks, a wrong one is refused, the right one opens and is remembered.
import { WIDE } from './kit.mjs';

export async function login(kit, { token }) {
  const context = await kit.browser.newContext(WIDE);
  // Requests without the token are refused on purpose, so this page's console is not watched; its own errors are.
  const page = await context.newPage();
  page.on('pageerror', (error) => kit.trouble(`page error: ${error.message}`));
  await page.goto(kit.base);
  await page.waitForSelector('form.login');
  await kit.until('nothing is shown before the token is given', async () => (await page.locator('main[data-link="live"]').count()) === 0);
  await kit.axeFinds(page, 'the question for the token');
  await kit.shot(page, 'login');

  await page.fill('#token', 'x'.repeat(token.length));
  await page.click('form.login button');
  await kit.until('a wrong token is said to be wrong', async () => ((await page.textContent('#token-error')) ?? '').length > 5);
  await kit.until('where it can be seen', async () => await page.isVisible('#token-error'));
  kit.check(!(await context.cookies()).some(({ name }) => name.startsWith('khor_session_')), 'a wrong token sets no cookie');

  await page.fill('#token', token);
  await page.locator('#token').press('Enter');
  await kit.ready(page);
  kit.check(true, 'the right token opens the page');
  const cookie = (await context.cookies()).find(({ name }) => name.startsWith('khor_session_'));
  kit.check(cookie?.httpOnly === true && cookie.sameSite === 'Strict', 'the session cookie is hidden from scripts and other sites');
  kit.check(cookie?.value !== token, 'the cookie is not the token');
  await page.reload();
  await kit.ready(page);
  await kit.until('and asked for no more after a reload', async () => (await page.locator('form.login').count()) === 0);
  await context.close();

  const other = await kit.browser.newContext(WIDE);
  const stranger = await other.newPage();
  await stranger.goto(kit.base);
  await stranger.waitForSelector('form.login');
  kit.check(true, 'another browser is asked again');
  await other.close();
}
