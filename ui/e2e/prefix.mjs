// Tests the page behind a proxy that serves it under the path /khor/. The proxy removes this
// prefix: the engine receives a request for /khor/ as a request for /.
import { once } from 'node:events';
import http from 'node:http';
import { WIDE } from './kit.mjs';

const PREFIX = '/khor';

/** Creates a proxy that forwards requests under the prefix to the engine. It answers other requests
 *  with 404 and adds them to `strays`. */
function proxy(engine, strays) {
  const target = (request) => {
    const headers = { ...request.headers, host: engine.host };
    if (headers.origin !== undefined) headers.origin = engine.origin;
    return { host: engine.hostname, port: engine.port, method: request.method, path: request.url.slice(PREFIX.length), headers };
  };
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith(`${PREFIX}/`)) {
      strays.push(request.url);
      response.writeHead(404).end();
      return;
    }
    const passed = http.request(target(request), (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });
  server.on('upgrade', (request, socket, head) => {
    const passed = http.request(target(request));
    passed.on('upgrade', (answer, upgraded) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      upgraded.pipe(socket).pipe(upgraded);
      for (const end of [socket, upgraded]) end.on('error', () => [socket, upgraded].forEach((it) => it.destroy()));
    });
    passed.on('error', () => socket.destroy());
    passed.end(head);
  });
  return server;
}

export async function prefix(kit, { token }) {
  const strays = [];
  const server = proxy(new URL(kit.base), strays).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${server.address().port}${PREFIX}/`;
  const context = await kit.browser.newContext(WIDE);
  const page = await context.newPage();
  page.on('pageerror', (error) => kit.fail(`page error: ${error.message}`));
  await page.goto(base);
  await page.waitForSelector('form.login');
  await page.fill('#token', token);
  await page.locator('#token').press('Enter');
  await kit.ready(page);
  const cookie = (await context.cookies()).find(({ name }) => name.startsWith('khor_session_'));
  kit.check(cookie?.path === `${PREFIX}/`, `the cookie is limited to the page's path: ${cookie?.path}`);
  await kit.visit(page, 'Outputs');
  kit.check(page.url() === `${base}outputs`, `a view's address is below the path: ${page.url()}`);
  await page.click('#listen');
  await kit.until('the sound plays through the proxy', async () => /ms delay/.test((await page.textContent('#listen-state')) ?? ''));
  await page.click('#listen');
  await kit.visit(page, 'Learn');
  for (const address of ['outputs', 'compose/', 'nonsense/deeper']) {
    await page.goto(base + address);
    await kit.ready(page);
    kit.check(true, `${address} can be opened directly`);
  }
  kit.check(strays.length === 0, `no request is outside the path: ${strays.join(' ')}`);
  await context.close();
  server.closeAllConnections();
  server.close();
}
