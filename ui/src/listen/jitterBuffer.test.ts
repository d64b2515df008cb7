// Nothing is lost or torn on the way through the buffer, whatever the two clocks and the network do.
import { describe, expect, it } from 'vitest';
import { JitterBuffer, TARGET_S } from './jitterBuffer';

const RATE = 48_000;
const QUANTUM = 128;

/** A ramp that goes on, so that a jump shows. */
class Ramp {
  private next = 0;
  block(frames: number): Int16Array {
    const samples = new Int16Array(2 * frames);
    for (let i = 0; i < frames; i += 1) {
      samples[2 * i] = Math.round(20_000 * Math.sin(this.next * 0.01));
      samples[2 * i + 1] = samples[2 * i] ?? 0;
      this.next += 1;
    }
    return samples;
  }
}

/** Plays `seconds` at the page's clock while blocks of 20 ms come by one that is `drift` faster; returns the biggest step. */
function play(buffer: JitterBuffer, seconds: number, drift: number, late: (block: number) => number = () => 0): number {
  const ramp = new Ramp();
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  let blocks = 0;
  let last = 0;
  let step = 0;
  let same = true;
  for (let frame = 0; frame < seconds * RATE; frame += QUANTUM) {
    const now = (frame / RATE) * (1 + drift);
    while (blocks * 0.02 + late(blocks) <= now) {
      buffer.push(ramp.block(960));
      blocks += 1;
    }
    buffer.pull(left, right);
    same &&= left[60] === right[60] && left[127] === right[127];
    if (now < 0.5) continue;
    for (const sample of left) {
      if (last !== 0) step = Math.max(step, Math.abs(sample - last));
      last = sample;
    }
  }
  expect(same).toBe(true);
  return step;
}

describe('JitterBuffer', () => {
  it('plays all of it, in order, some time later', () => {
    const buffer = new JitterBuffer(RATE);
    expect(play(buffer, 5, 0)).toBeLessThan(0.0063);
    expect(buffer.gaps).toBe(0);
    expect(Math.abs(buffer.heldS - TARGET_S)).toBeLessThan(0.03);
  });

  it('follows clocks that differ without a gap or a jump', () => {
    for (const drift of [-0.0005, 0.0005]) {
      const buffer = new JitterBuffer(RATE);
      expect(play(buffer, 120, drift)).toBeLessThan(0.0063);
      expect(buffer.gaps).toBe(0);
      expect(Math.abs(buffer.heldS - TARGET_S)).toBeLessThan(0.09);
    }
  });

  it('rides out lateness below what it holds, and counts what is beyond', () => {
    const patient = new JitterBuffer(RATE);
    play(patient, 10, 0, (block) => (block % 100 > 90 ? 0.1 : 0));
    expect(patient.gaps).toBe(0);
    const torn = new JitterBuffer(RATE);
    play(torn, 10, 0, (block) => (block >= 200 ? 0.5 : 0));
    expect(torn.gaps).toBe(1);
    expect(torn.heldS).toBeGreaterThan(0.1);
  });

  it('leaves out the past after a sleep', () => {
    const buffer = new JitterBuffer(RATE);
    const ramp = new Ramp();
    for (let i = 0; i < 200; i += 1) buffer.push(ramp.block(960));
    expect(buffer.heldS).toBeLessThanOrEqual(1);
  });
});
