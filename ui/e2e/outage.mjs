// Tests that the page reports a lost engine and then reconnects. A proxy between the page and the
// engine is closed and opened again.
import http from 'node:http';

/** A proxy that can be closed. While it is open, it forwards all requests to the engine. */
class EngineProxy {
  sockets = new Set();

  constructor(base) {
    this.to = new URL(base);
    this.server = http.createServer((request, response) => {
      const headers = { ...request.headers, host: this.to.host, ...(request.headers.origin && { origin: this.to.origin }) };
      const onward = http.request({ host: this.to.hostname, port: this.to.port, method: request.method, path: request.url, headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  open = (port = 0) => new Promise((resolve) => this.server.listen(port, '127.0.0.1', () => resolve(this.server.address().port)));

  close = () =>
    new Promise((resolve) => {
      this.server.close(resolve);
      for (const socket of this.sockets) socket.destroy();
    });
}

export async function outage(kit) {
  const proxy = new EngineProxy(kit.base);
  const port = await proxy.open();
  const context = await kit.browser.newContext();
  // Requests fail on purpose here, so console errors are not test failures.
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForSelector('main[data-link="live"]');
  await proxy.close();
  await kit.until('the page says that the engine is not answering', async () => /not answering/.test((await page.textContent('.banner')) ?? ''));
  await kit.until('the page becomes grey', async () => (await page.getAttribute('main', 'data-link')) === 'lost');
  await kit.axeFinds(page, 'without the engine');
  await kit.shot(page, 'now-lost');
  await proxy.open(port);
  await kit.until('the page reconnects, and says so', async () => /answers again/.test((await page.textContent('.banner')) ?? ''));
  await page.waitForSelector('main[data-link="live"]');
  const bar = await page.textContent('.families .at-bar');
  await kit.until('the bars continue', async () => (await page.textContent('.families .at-bar')) !== bar);
  await context.close();
  await proxy.close();
}
