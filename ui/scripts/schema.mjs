// Generates src/api/schema.ts, the types of the API, from docs/openapi.json. `cargo xtask api`
// writes docs/openapi.json and then runs this script. With --check, the script writes nothing and
// fails if src/api/schema.ts is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const DOCUMENT = new URL('../../docs/openapi.json', import.meta.url);
const TYPES = new URL('../src/api/schema.ts', import.meta.url);
const HEADER = '// The types of the API. Generated from docs/openapi.json by `cargo xtask api`: do not edit.\n\n';

/** Rewrites each schema that has other keys next to `$ref`: moves the reference and the keys into
 *  an `allOf`. The generator would otherwise ignore these keys. */
function extended(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(extended);
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, extended(part)]));
  const { $ref, description, ...own } = parts;
  return typeof $ref === 'string' && 'properties' in own ? { description, allOf: [{ $ref }, own] } : parts;
}

/** The OpenAPI document without its operations, because the page needs only the data types. */
const { openapi, info, components } = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
const types = await openapiTS({ openapi, info, components: extended(components), paths: {} });
const generated = HEADER + astToString(types);

if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, generated);
} else if (readFileSync(TYPES, 'utf8') !== generated) {
  console.error('ui/src/api/schema.ts is out of date: run `cargo xtask api`');
  process.exit(1);
}
