// Generates src/api/schema.ts, the types of the API, from docs/openapi.json. `cargo xtask api` runs
// it after it has written that document. With --check it writes nothing, and fails if the file is
// stale.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const DOCUMENT = new URL('../../docs/openapi.json', import.meta.url);
const TYPES = new URL('../src/api/schema.ts', import.meta.url);
const HEADER = '// The types of the API. Generated from docs/openapi.json by `cargo xtask api`: do not edit.\n\n';

/** Rewrites a schema that has keys beside `$ref` with `allOf`, because the generator ignores such
 *  keys. */
function extended(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(extended);
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, extended(part)]));
  const { $ref, description, ...own } = parts;
  return typeof $ref === 'string' && 'properties' in own ? { description, allOf: [{ $ref }, own] } : parts;
}

/** Removes the operations. The page calls them itself and only needs the types of their answers. */
const { openapi, info, components } = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
const types = await openapiTS({ openapi, info, components: extended(components), paths: {} });
const generated = HEADER + astToString(types);

if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, generated);
} else if (readFileSync(TYPES, 'utf8') !== generated) {
  console.error('ui/src/api/schema.ts is stale: run `cargo xtask api`');
  process.exit(1);
}
