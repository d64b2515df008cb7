// Generates src/api/schema.ts, the types of the API, from docs/openapi.json. `cargo xtask api` runs
// this script after it has written docs/openapi.json. With --check, the script writes nothing, and
// fails if src/api/schema.ts is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const DOCUMENT = new URL('../../docs/openapi.json', import.meta.url);
const TYPES = new URL('../src/api/schema.ts', import.meta.url);
const HEADER = '// The types of the API. Generated from docs/openapi.json by `cargo xtask api`: do not edit.\n\n';

/** Rewrites schemas that have other keys beside `$ref`, because the generator ignores these keys.
 *  It does not ignore them in `allOf`. */
function extended(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(extended);
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, extended(part)]));
  const { $ref, description, ...own } = parts;
  return typeof $ref === 'string' && 'properties' in own ? { description, allOf: [{ $ref }, own] } : parts;
}

/** The document without the operations. The page needs only the types of their data. */
const { openapi, info, components } = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
const types = await openapiTS({ openapi, info, components: extended(components), paths: {} });
const generated = HEADER + astToString(types);

if (!process.argv.includes('--check')) {
  writeFileSync(TYPES, generated);
} else if (readFileSync(TYPES, 'utf8') !== generated) {
  console.error('ui/src/api/schema.ts is out of date: run `cargo xtask api`');
  process.exit(1);
}
