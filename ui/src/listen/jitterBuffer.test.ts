// Tests that the jitter buffer plays without gaps, although the network delays blocks and the
// clocks of engine and browser differ.
import { describe, expect, it } from 'vitest';
import { JitterBuffer, TARGET_S } from './jitterBuffer';

const RATE = 48_000;
const QUANTUM = 128;

/** Generates a continuous sine wave. If a block of it is lost, two consecutive samples differ by a
 *  large value. */
class Sine {
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

/** Plays for `seconds` seconds of the page's clock, and returns the largest difference between two
 *  consecutive samples. The engine sends blocks of 20 ms, and its clock is faster than the page's
 *  clock by the share `drift`. `late` returns the delay of a block, in seconds. */
function play(buffer: JitterBuffer, seconds: number, drift: number, late: (block: number) => number = () => 0): number {
  const sine = new Sine();
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  let blocks = 0;
  let last = 0;
  let step = 0;
  let same = true;
  for (let frame = 0; frame < seconds * RATE; frame += QUANTUM) {
    const now = (frame / RATE) * (1 + drift);
    while (blocks * 0.02 + late(blocks) <= now) {
      buffer.push(sine.block(960));
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
  it('plays all samples in order', () => {
    const buffer = new JitterBuffer(RATE);
    expect(play(buffer, 5, 0)).toBeLessThan(0.0063);
    expect(buffer.gaps).toBe(0);
    expect(Math.abs(buffer.heldS - TARGET_S)).toBeLessThan(0.03);
  });

  it('adapts to different clocks', () => {
    for (const drift of [-0.0005, 0.0005]) {
      const buffer = new JitterBuffer(RATE);
      expect(play(buffer, 120, drift)).toBeLessThan(0.0063);
      expect(buffer.gaps).toBe(0);
      expect(Math.abs(buffer.heldS - TARGET_S)).toBeLessThan(0.09);
    }
  });

  it('tolerates short delays, and counts gaps', () => {
    const patient = new JitterBuffer(RATE);
    play(patient, 10, 0, (block) => (block % 100 > 90 ? 0.1 : 0));
    expect(patient.gaps).toBe(0);
    const interrupted = new JitterBuffer(RATE);
    play(interrupted, 10, 0, (block) => (block >= 200 ? 0.5 : 0));
    expect(interrupted.gaps).toBe(1);
    expect(interrupted.heldS).toBeGreaterThan(0.1);
  });

  it('drops old samples', () => {
    const buffer = new JitterBuffer(RATE);
    const sine = new Sine();
    for (let i = 0; i < 200; i += 1) buffer.push(sine.block(960));
    expect(buffer.heldS).toBeLessThanOrEqual(1);
  });
});
