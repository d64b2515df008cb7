// Tests the login to an engine that requires a token. A wrong token is rejected. The right token
// opens the page, and a cookie keeps the user logged in.
import { WIDE } from './kit.mjs';

export async function login(kit, { token }) {
  const context = await kit.browser.newContext(WIDE);
  // The engine rejects requests without the token, so console errors are expected here.
  const page = await context.newPage();
  page.on('pageerror', (error) => kit.fail(`page error: ${error.message}`));
  await page.goto(kit.base);
  await page.waitForSelector('form.login');
  await kit.until('the page shows no data before the login', async () => (await page.locator('main[data-link="live"]').count()) === 0);
  await kit.axeFinds(page, 'the login form');
  await kit.shot(page, 'login');

  await page.fill('#token', 'x'.repeat(token.length));
  await page.click('form.login button');
  await kit.until('a wrong token shows an error', async () => ((await page.textContent('#token-error')) ?? '').length > 5);
  await kit.until('the error is visible', async () => await page.isVisible('#token-error'));
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
  await kit.until('a reload needs no new login', async () => (await page.locator('form.login').count()) === 0);
  await context.close();

  const other = await kit.browser.newContext(WIDE);
  const otherPage = await other.newPage();
  await otherPage.goto(kit.base);
  await otherPage.waitForSelector('form.login');
  kit.check(true, 'another browser needs its own login');
  await other.close();
}
