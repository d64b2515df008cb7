// Tests that rates and units are formatted in a readable way.
import { describe, expect, it } from 'vitest';
import { duration, factor, isNothing, rate, rateText, size, spanText, spokenBytes, spokenCount, spokenShare } from './units';

describe('isNothing', () => {
  it('is true for rates that round to 0', () => {
    expect([0, 0.04, 0.06, 12].map((value) => isNothing(value, '1/s'))).toEqual([true, true, false, false]);
    expect(isNothing(null, 'B/s')).toBe(false);
  });
});

describe('rate', () => {
  it.each([
    [0, '1/s', '0', '/s'],
    [0.04, '1/s', '0.0', '/s'],
    [12.44, '1/s', '12.4', '/s'],
    [12, '1/s', '12', '/s'],
    [999.4, '1/s', '999', '/s'],
    [999.9, '1/s', '1.0', 'k/s'],
    [18_000, '1/s', '18', 'k/s'],
    [240_000, 'B/s', '240', 'kB/s'],
    [41.5, '°C', '41.5', '°C'],
    [46_100_000, 'B/s', '46.1', 'MB/s'],
    [1.2e9, 'B/s', '1.2', 'GB/s'],
    [512, 'B/s', '512', 'B/s'],
    [0.031, 'ratio', '3.1', '%'],
    [1, 'ratio', '100.0', '%'],
    [0.0123, 's', '12.3', 'ms'],
  ] as const)('%s %s', (value, unit, text, suffix) => {
    expect(rate(value, unit)).toEqual({ value: text, unit: suffix });
  });

  it('never shows a missing value as zero', () => {
    expect(rate(null, 'B/s')).toEqual({ value: '–', unit: '' });
    expect(rate(undefined, '1/s').value).toBe('–');
    expect(rate(NaN, '1/s').value).toBe('–');
    expect(rateText(null, '1/s')).toBe('unknown');
  });
});

describe('duration', () => {
  it('formats durations as media players do', () => expect([0.9, 7, 754, 3723].map(duration)).toEqual(['0:00', '0:07', '12:34', '1:02:03']));
});

describe('numbers in the sentence', () => {
  it('have fewer digits than in the lanes', () => {
    expect(spokenBytes(12_340_000)).toBe('12 MB/s');
    expect(spokenBytes(1_480_000)).toBe('1.5 MB/s');
    expect(spokenBytes(143_000_000)).toBe('140 MB/s');
    expect(spokenCount(37.4)).toBe('37');
    expect(spokenCount(64_200)).toBe('64 000');
    expect(spokenCount(3_100_000)).toBe('3 million');
    expect(spokenShare(0.123)).toBe('12 %');
  });
});

describe('factors, sizes and spans', () => {
  it('factors are multiples of the baseline', () => expect([0, 1, 2.07, -1, 4, 7, 12, null].map(factor)).toEqual(['× 1.0', '× 2.0', '× 4.2', '× 0.5', '× 16', '× 130', '× 999+', '–']));
  it('sizes have two or three digits', () => expect([512, 12_000, 3_400_000].map(size)).toEqual(['512 B', '12 kB', '3.4 MB']));
  it('time spans are rounded', () => expect([30_000, 61_000, 130_000, 300_000].map(spanText)).toEqual(['the last 30 seconds', 'the last 60 seconds', 'the last 2 minutes', 'the last 5 minutes']));
});
