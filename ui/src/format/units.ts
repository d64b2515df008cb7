// Formats numbers for people: with few digits and decimal unit prefixes, and as a dash if the value
// is unknown.
import type { Unit } from '../api/types';

export interface Figure {
  value: string;
  unit: string;
}

const STEPS: readonly [number, string][] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Formats a number with two or three significant digits. */
function digits(value: number): string {
  if (value >= 99.5) return Math.round(value).toString();
  if (value >= 9.95) return value.toFixed(1).replace(/\.0$/, '');
  return value.toFixed(1);
}

/** Scales a number to at most three digits before the decimal point. Returns its text and its
 *  decimal prefix: "1.2" and "M" for 1 234 567. */
function scaled(value: number): [string, string] {
  for (const [size, prefix] of STEPS) if (value >= size * 0.9995) return [digits(value / size), prefix];
  return [value === 0 ? '0' : digits(value), ''];
}

export function rate(value: number | null | undefined, unit: Unit): Figure {
  if (value === null || value === undefined || !Number.isFinite(value)) return { value: '–', unit: '' };
  if (unit === 's') return { value: value === 0 ? '0' : digits(value * 1000), unit: 'ms' };
  if (unit === 'ratio') return { value: (value * 100).toFixed(1), unit: '%' };
  const [text, prefix] = scaled(value);
  return { value: text, unit: prefix + (unit === '1/s' ? '/s' : unit) };
}

export function rateText(value: number | null | undefined, unit: Unit): string {
  const figure = rate(value, unit);
  return figure.unit === '' ? 'unknown' : `${figure.value} ${figure.unit}`;
}

/** Formats a rate in bytes for the sentence: "12 MB/s", "1.5 MB/s". The sentence has fewer digits
 *  than the lanes, so that its text changes less often. */
export function spokenBytes(value: number): string {
  const [size, prefix] = STEPS.find(([step]) => value >= step) ?? [1, ''];
  return `${spokenNumber(value / size)} ${prefix}B/s`;
}

export function spokenCount(value: number): string {
  if (value >= 1e6) return `${spokenNumber(value / 1e6)} million`;
  if (value >= 1e4) return `${Math.round(value / 1e3)} 000`;
  return spokenNumber(value);
}

function spokenNumber(value: number): string {
  if (value >= 100) return (Math.round(value / 10) * 10).toString();
  if (value >= 9.5) return Math.round(value).toString();
  return (Math.round(value * 2) / 2).toString();
}

/** Formats a duration as a media player does: 0:07, 12:34, 1:02:03. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => value.toString().padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function spokenShare(value: number): string {
  return value < 0.01 ? 'under 1 %' : `${Math.round(value * 100)} %`;
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
}

export function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
}

/** Formats the size of a file: 512 B, 12 kB, 3.4 MB. */
export function size(bytes: number): string {
  const [text, prefix] = scaled(bytes);
  return `${text} ${prefix}B`;
}

/** Whether the page displays a rate as 0. If a baseline is displayed as 0, the page cannot say how
 *  many times higher a rate is. */
export function isNothing(value: number | null | undefined, unit: Unit): boolean {
  return value !== null && value !== undefined && Number(rate(value, unit).value) === 0;
}

/** Formats a deviation in octaves as a factor: "× 4.2", "× 0.5", "× 140". An unknown deviation is
 *  formatted as a dash. */
export function factor(octaves: number | null | undefined): string {
  if (octaves === null || octaves === undefined || !Number.isFinite(octaves)) return '–';
  const value = 2 ** octaves;
  if (value >= 999.5) return '× 999+';
  return `× ${value >= 99.5 ? (Math.round(value / 10) * 10).toString() : value >= 9.95 ? Math.round(value).toString() : value.toFixed(1)}`;
}

/** Formats a rounded time span: "the last 40 seconds", "the last 3 minutes". */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 10_000) * 10;
  if (seconds < 90) return `the last ${seconds} seconds`;
  return `the last ${Math.round(ms / 60_000)} minutes`;
}
