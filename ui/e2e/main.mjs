// Tests the page of a running engine in a real browser. Usage:
//   node e2e/main.mjs <base url> <shots dir> [--expect-rise <signal>] [--only <part>]
//   node e2e/main.mjs <base url> <shots dir> --token <token> [--prefix]
//   node e2e/main.mjs <base url> <shots dir> --site <part>
//   node e2e/main.mjs <base url> <shots dir> --original
// With --expect-rise, the caller starts a load when this script prints "ok: there are charts". The
// script prints all failures, and exits with status 1 if there are any. Without options,
// the script tests one view after another. These options select another test:
//   --token             the login to an engine that requires this token
//   --token --prefix    the page behind a proxy that serves it under a path prefix
//   --original          a web page that uses only the API of the original khor
//   --site              the Fleet view, which shows the hosts of a site
import { parseArgs } from 'node:util';
import { compose } from './compose.mjs';
import { SITES } from './fleet.mjs';
import { frames } from './frames.mjs';
import { Kit } from './kit.mjs';
import { learn } from './learn.mjs';
import { login } from './login.mjs';
import { look } from './look.mjs';
import { machine } from './machine.mjs';
import { now } from './now.mjs';
import { original } from './original.mjs';
import { outage } from './outage.mjs';
import { outputs } from './outputs.mjs';
import { paint } from './paint.mjs';
import { prefix } from './prefix.mjs';

const PARTS = { paint, now, compose, outputs, machine, learn, outage, look, frames };

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { 'expect-rise': { type: 'string' }, only: { type: 'string' }, token: { type: 'string' }, site: { type: 'string' }, prefix: { type: 'boolean' }, original: { type: 'boolean' } } });
const [base, shots] = positionals;
const parts = flags.only === undefined ? Object.keys(PARTS) : flags.only.split(',');
if (!base || !shots || !parts.every((part) => part in PARTS) || (flags.site !== undefined && !(flags.site in SITES))) {
  console.error(`usage: node e2e/main.mjs <base url> <shots dir> [--expect-rise <signal>] [--only ${Object.keys(PARTS).join('|')}] | --token <token> [--prefix] | --site ${Object.keys(SITES).join('|')} | --original`);
  process.exit(2);
}

const kit = new Kit(base, shots);
await kit.start();
const steps = stepsOf(flags);
for (const [part, run] of steps) {
  console.log(`-- ${part}`);
  try {
    await run();
  } catch (error) {
    kit.fail(`${part}: ${error.stack ?? String(error)}`);
  }
}
await kit.browser.close();
console.log(kit.failures.length === 0 ? 'all checks passed' : `${kit.failures.length} ${kit.failures.length === 1 ? 'failure' : 'failures'}`);
process.exit(kit.failures.length === 0 ? 0 : 1);

function stepsOf({ token, site, prefix: below, original: alone, 'expect-rise': rise }) {
  if (alone === true) return [['original', () => original(kit)]];
  if (below === true) return [['prefix', () => prefix(kit, { token })]];
  if (token !== undefined) return [['login', () => login(kit, { token })]];
  if (site !== undefined) return [[`site: ${site}`, () => SITES[site](kit)]];
  return parts.map((part) => [part, () => PARTS[part](kit, rise)]);
}
