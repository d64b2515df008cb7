// Tests that notes in the visualiser appear at their onset, fade, and stay within the canvas.
import { describe, expect, it } from 'vitest';
import type { Note, Signal } from '../api/types';
import type { Palette } from '../theme/store';
import { dropOf } from './painter';

const note = (more: Partial<Note> = {}): Note => ({ seq: 1, ts_ms: 1000, midi: 60, velocity: 0.5, duration_s: 0.3, role: 'melody', layer: 'voices', channel: 1, signal: 'rx', ...more });
const signal: Signal = { level: 0.5, surprise: 0, deviation: 1, baseline: 1, rate: 1, unit: 'B/s', label: 'received', family: 'network', available: true, reason: null };
const view = (now: number) => ({ width: 1200, height: 700, now, signals: { rx: signal }, palette: { network: 'rgb(1, 2, 3)', dim: 'rgb(4, 4, 4)', bad: 'rgb(9, 0, 0)' } as Palette });

describe('dropOf', () => {
  it('is visible from the onset, for a while', () => {
    expect(dropOf(note(), view(999))).toBeNull();
    expect(dropOf(note(), view(9000))).toBeNull();
    expect(dropOf(note({ duration_s: 20 }), view(9000))).not.toBeNull();
  });

  it('fades and grows', () => {
    const [young, old] = [dropOf(note(), view(1500)), dropOf(note(), view(5000))];
    expect(young?.opacity).toBeGreaterThan(old?.opacity ?? 1);
    expect(old?.radius).toBeGreaterThan(young?.radius ?? 1e9);
  });

  it('stays on the canvas at any pitch', () => {
    for (let midi = 0; midi < 128; midi++) {
      const drop = dropOf(note({ midi }), view(1500));
      expect(drop?.x).toBeGreaterThan(0);
      expect(drop?.x).toBeLessThan(1200);
      expect(drop?.y).toBeGreaterThan(0);
      expect(drop?.y).toBeLessThan(700);
    }
  });

  it('has the colour of the family', () => {
    expect(dropOf(note(), view(1500))).toMatchObject({ color: 'rgb(1, 2, 3)', ring: false });
    expect(dropOf(note({ signal: null, layer: 'bed' }), view(1500))).toMatchObject({ color: 'rgb(4, 4, 4)', ring: true });
    expect(dropOf(note({ signal: null, layer: 'cues' }), view(1500))?.color).toBe('rgb(9, 0, 0)');
  });
});
