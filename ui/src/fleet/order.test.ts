// Tests that hosts are ordered by deviation and rarely move.
import { describe, expect, it } from 'vitest';
import type { FleetHost } from '../api/types';
import { arranged, EMPTY, sections } from './order';
import { host } from './testing';

const by = (deviations: Record<string, number | null | 'silent'>): FleetHost[] =>
  Object.entries(deviations).map(([name, deviation]) => (deviation === 'silent' ? host(name, { state: 'silent', deviation: null }) : host(name, { deviation })));

describe('arranged', () => {
  const begin = arranged(EMPTY, by({ a: 0.2, b: 6, c: 'silent', d: null, e: 2 }), 0, true);

  it('puts the largest deviation first, silent hosts last', () => expect(begin.order).toEqual(['b', 'e', 'a', 'd', 'c']));

  it('keeps the order for a while', () => {
    const hosts = by({ a: 9, b: 6, c: 'silent', d: null, e: 2 });
    expect(arranged(begin, hosts, 3000, true)).toBe(begin);
    expect(arranged(begin, hosts, 60_000, false)).toBe(begin);
    expect(arranged(begin, hosts, 60_000, true).order).toEqual(['a', 'b', 'e', 'd', 'c']);
  });

  it('moves no host for a small change', () => {
    const near = arranged(begin, by({ a: 0.2, b: 6, c: 'silent', d: null, e: 2.6 }), 60_000, true);
    const back = arranged(near, by({ a: 0.2, b: 6, c: 'silent', d: null, e: 1.4 }), 120_000, true);
    expect([near.steps.get('e'), back.steps.get('e')]).toEqual([2, 2]);
    expect(arranged(back, by({ a: 0.2, b: 6, c: 'silent', d: null, e: 2.8 }), 180_000, true).steps.get('e')).toBe(3);
  });

  it('adds and removes hosts at once', () => {
    const now = arranged(begin, by({ a: 9, b: 6, e: 2, f: 4 }), 1000, false);
    expect(now.order).toEqual(['b', 'f', 'e', 'a']);
  });
});

describe('sections', () => {
  const of = (label: string | null) => (name: string) => host(name, { section: label });
  it('are ordered by label, no label last', () => {
    const hosts = [...['w1', 'w2'].map(of('web')), ...['d1'].map(of('db')), ...['x'].map(of(null))];
    const found = sections(hosts, ['w2', 'x', 'd1', 'w1']);
    expect(found.map(({ label, hosts: all }) => [label, all.map(({ name }) => name)])).toEqual([
      ['db', ['d1']],
      ['web', ['w2', 'w1']],
      [null, ['x']],
    ]);
  });
  it('are merged unless there are several labels', () => {
    expect(sections(['a', 'b'].map(of('web')), ['b', 'a'])).toMatchObject([{ label: 'web', hosts: [{ name: 'b' }, { name: 'a' }] }]);
    expect(sections(['a'].map(of(null)), ['a'])[0]?.label).toBeNull();
    const many = Array.from({ length: 9 }, (_, i) => host(`h${i}`, { section: `s${i}` }));
    expect(sections(many, many.map(({ name }) => name))).toHaveLength(1);
  });
});
