// The engine goes away and comes back, as the page sees it: a relay between the two is cut and mended.
import http from 'node:http';

/** Passes everything on to the engine under the engine's own name, until it is cut. */
class Relay {
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

  mend = (port = 0) => new Promise((resolve) => this.server.listen(port, '127.0.0.1', () => resolve(this.server.address().port)));

  cut = () =>
    new Promise((resolve) => {
      this.server.close(resolve);
      for (const socket of this.sockets) socket.destroy();
    });
}

export async function outage(kit) {
  const relay = new Relay(kit.base);
  const port = await relay.mend();
  const context = await kit.browser.newContext();
  // Its requests fail on purpose, so this page's console is not watched.
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForSelector('main[data-link="live"]');
  await relay.cut();
  await kit.until('the page says that the engine is gone', async () => /not answering/.test((await page.textContent('.banner')) ?? ''));
  await kit.until('and greys what it shows', async () => (await page.getAttribute('main', 'data-link')) === 'lost');
  await kit.axeFinds(page, 'without the engine');
  await kit.shot(page, 'now-lost');
  await relay.mend(port);
  await kit.until('it finds the engine again and says so', async () => /answers again/.test((await page.textContent('.banner')) ?? ''));
  await page.waitForSelector('main[data-link="live"]');
  const bar = await page.textContent('.families .at-bar');
  await kit.until('and goes on', async () => (await page.textContent('.families .at-bar')) !== bar);
  await context.close();
  await relay.cut();
}
