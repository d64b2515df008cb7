// Tests that the URLs of the page work at the root of a server and under a proxy's path prefix.
import { describe, expect, it } from 'vitest';
import { at, below } from './base';

describe('at', () => {
  it('does not change addresses without a proxy', () => expect(at('/api/health')).toBe('/api/health'));
  it('prepends the path of a proxy', () => expect(at('/api/health', '/khor/')).toBe('/khor/api/health'));
});

describe('below', () => {
  it.each([
    ['/', '/', '/'],
    ['/compose', '/', '/compose'],
    ['/khor/', '/khor/', '/'],
    ['/khor/compose', '/khor/', '/compose'],
    ['/elsewhere', '/khor/', '/elsewhere'],
  ])('%s below %s is %s', (pathname, base, expected) => expect(below(pathname, base)).toBe(expected));
});
