// Tests that the lanes have the engine's order, and include lanes that a source has added.
import { expect, it } from 'vitest';
import { CATALOGUE, lanesOf } from './catalogue';
import type { LaneSignal } from './state';

const signal = (label: string): LaneSignal => ({
  level: 0, deviation: 0, surprise: 0, rate: 1, baseline: 1, unit: '°C', label, family: 'disk', grain: 5, available: true, reason: null,
});

it('at first, the catalogue has the kernel’s lanes', () => expect(lanesOf(undefined)).toBe(CATALOGUE));

it('then the catalogue has the engine’s lanes', () => {
  expect(lanesOf({ 'disk.temperature': signal('warmth of the disk'), rx: signal('received') })).toEqual([
    { name: 'disk.temperature', label: 'warmth of the disk', family: 'disk', grain: 5 },
    { name: 'rx', label: 'received', family: 'disk', grain: 5 },
  ]);
});
