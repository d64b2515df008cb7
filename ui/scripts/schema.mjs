// Generates src/api/schema.ts, the types of the API, from docs/openapi.json. `cargo xtask api` runs
// it after it has written that document. With --check it writes nothing, and fails if the file is
// stale.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const DOCUMENT = new URL('../../docs/openapi.json', import.meta.url);
const TYPES = new URL('../src/api/schema.ts', import.meta.url);
const HEADER = '// The types of the API. Generated from docs/openapi.json by `cargo xtask api`: do not edit.\n\n';

/** The page calls the operations by hand, so it needs only the types of their answers. */
const { openapi, info, components } = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
const types = await openapiTS({ openapi, info, components, paths: {} });
const generated = HEADER + astToString(types);

if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, generated);
} else if (readFileSync(TYPES, 'utf8') !== generated) {
  console.error('ui/src/api/schema.ts is stale: run `cargo xtask api`');
  process.exit(1);
}
