// Drives the page in a real browser against a running engine: node e2e/main.mjs <base url> <shots dir> [--expect-rise <signal>] [--only <part>] | --token <token> | --site <part>
// Once it prints "ok: there are charts" the caller makes load; it exits non-zero with what failed. With
// a token, which the engine must ask for, only the question for it is tried; with a site, only the view of its hosts.
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
import { outage } from './outage.mjs';
import { outputs } from './outputs.mjs';

const PARTS = { now, compose, outputs, machine, learn, outage, look, frames };

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { 'expect-rise': { type: 'string' }, only: { type: 'string' }, token: { type: 'string' }, site: { type: 'string' } } });
const [base, shots] = positionals;
const parts = flags.only === undefined ? Object.keys(PARTS) : flags.only.split(',');
if (!base || !shots || !parts.every((part) => part in PARTS) || (flags.site !== undefined && !(flags.site in SITES))) {
  console.error(`usage: node e2e/main.mjs <base url> <shots dir> [--expect-rise <signal>] [--only ${Object.keys(PARTS).join('|')}] | --token <token> | --site ${Object.keys(SITES).join('|')}`);
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
    kit.troubles.push(`${part}: ${error.stack ?? String(error)}`);
  }
}
await kit.browser.close();
for (const trouble of kit.troubles) console.error(`FAILED: ${trouble}`);
console.log(kit.troubles.length === 0 ? 'all well' : `${kit.troubles.length} failures`);
process.exit(kit.troubles.length === 0 ? 0 : 1);

function stepsOf({ token, site, 'expect-rise': rise }) {
  if (token !== undefined) return [['login', () => login(kit, { token })]];
  if (site !== undefined) return [[`site: ${site}`, () => SITES[site](kit)]];
  return parts.map((part) => [part, () => PARTS[part](kit, rise)]);
}
