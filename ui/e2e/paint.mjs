// Measures how many bytes a browser with an empty cache receives before it paints the sentence of
// the Now view, over loopback and over a slow line. Only the number of bytes has a limit. Times
// depend on the machine, so they are only printed.
import { WIDE } from './kit.mjs';

/** Limit for the uncompressed size of the API's data, in bytes. */
const MOST_API_BYTES = 60_000;
/** Limit for the compressed size of all data that the browser receives, in bytes: page, scripts,
 *  styles and the API's data. */
const MOST_WIRE_BYTES = 240_000;

const SLOW_LINE = { offline: false, latency: 20, downloadThroughput: 50 * 1024, uploadThroughput: 50 * 1024 };
const LINES = { loopback: null, 'a line of 50 kB/s': SLOW_LINE };

/** Stores the time at which the browser has painted the sentence about the machine. This function
 *  runs in the page, before the page's own scripts. */
function watchSentence() {
  const isSentence = (text) => !['', 'Waiting for data…', 'The engine is not answering.'].includes(text);
  const look = () => {
    const heading = document.querySelector('.say h1');
    if (heading === null || !isSentence(heading.textContent)) requestAnimationFrame(look);
    // The second frame starts only after the browser has painted the first one.
    else requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.paintedAt = performance.now(); }));
  };
  requestAnimationFrame(look);
}

/** Records the time, the URL and the size of each piece of data that the page receives. */
async function recorded(page, line) {
  const session = await page.context().newCDPSession(page);
  const [urls, pieces] = [new Map(), []];
  const record = { pieces, clock: null };
  session.on('Network.requestWillBeSent', ({ requestId, request, timestamp, wallTime }) => {
    record.clock ??= { timestamp, wallTime };
    urls.set(requestId, request.url);
  });
  session.on('Network.responseReceived', ({ requestId, timestamp, response }) => {
    pieces.push({ timestamp, url: urls.get(requestId), plain: 0, wire: response.encodedDataLength });
  });
  session.on('Network.dataReceived', ({ requestId, timestamp, dataLength, encodedDataLength }) => {
    pieces.push({ timestamp, url: urls.get(requestId), plain: dataLength, wire: encodedDataLength });
  });
  await session.send('Network.enable');
  if (line !== null) await session.send('Network.emulateNetworkConditions', line);
  return record;
}

const sum = (pieces, size) => pieces.reduce((total, piece) => total + piece[size], 0);

/** Lists the eight files that took the most bytes to transfer, largest first, each with its number
 *  of bytes. */
function listed(pieces) {
  const files = new Map();
  for (const { url, wire } of pieces) files.set(url, (files.get(url) ?? 0) + wire);
  const largest = [...files].sort(([, a], [, b]) => b - a).slice(0, 8);
  return largest.map(([url, wire]) => `${new URL(url).pathname} ${wire}`).join(', ');
}

async function measure(kit, name, line) {
  const context = await kit.browser.newContext(WIDE);
  const page = await context.newPage();
  await page.addInitScript(watchSentence);
  const { pieces, ...rest } = await load(kit, page, line);
  const before = pieces.filter(({ timestamp }) => timestamp <= rest.painted);
  const [api, wire] = [sum(before.filter(({ url }) => new URL(url).pathname.startsWith('/api/')), 'plain'), sum(before, 'wire')];
  console.log(`measured: on ${name} the sentence is painted after ${Math.round(rest.ms)} ms; ${listed(before)}`);
  kit.check(api > 0 && api <= MOST_API_BYTES, `on ${name} the sentence needs at most ${MOST_API_BYTES} bytes of the API (${api})`);
  kit.check(wire > 0 && wire <= MOST_WIRE_BYTES, `on ${name} the sentence needs at most ${MOST_WIRE_BYTES} bytes in total (${wire})`);
  await context.close();
}

/** Opens the page and waits until its sentence is painted. Returns the time of this paint on
 *  two clocks: on the page's clock (`ms`), and on the clock of the recorded data (`painted`). */
async function load(kit, page, line) {
  const record = await recorded(page, line);
  await page.goto(kit.base, { waitUntil: 'commit' });
  await page.waitForFunction(() => globalThis.paintedAt !== undefined);
  const { ms, origin } = await page.evaluate(() => ({ ms: globalThis.paintedAt, origin: performance.timeOrigin }));
  const { timestamp, wallTime } = record.clock;
  return { pieces: record.pieces, ms, painted: timestamp + (origin + ms) / 1000 - wallTime };
}

export async function paint(kit) {
  for (const [name, line] of Object.entries(LINES)) await measure(kit, name, line);
}
