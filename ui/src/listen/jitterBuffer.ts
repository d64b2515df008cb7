// Evens out samples that come in blocks over a network: holds some back, and plays a hair faster or slower so that what
// it holds neither runs dry nor grows, though the two clocks differ.

/** Held back on purpose, seconds: more than a busy network or a busy page is late. */
export const TARGET_S = 0.15;
/** Beyond this the oldest is left out, seconds: the page slept, and nobody wants to hear the past. */
const MOST_S = 1;
/** Most that the speed differs from 1: a quarter of a semitone would be heard, this is a fortieth. */
const MOST_BEND = 0.0015;
/** Speed per second of surplus. */
const BEND_PER_S = 0.01;
/** Share of each pull by which the smoothed fill follows: pulls are 128 frames. */
const FOLLOW = 0.002;

export class JitterBuffer {
  /** Times it ran dry since it began to play. */
  gaps = 0;
  private readonly rate: number;
  private readonly left: Float32Array;
  private readonly right: Float32Array;
  private readonly frames: number;
  /** Position of the next frame to write, and of the next to play (with a fraction), counted since the beginning. */
  private written = 0;
  private played = 0;
  private playing = false;
  private began = false;
  private smoothFill = 0;

  constructor(rate: number) {
    this.rate = rate;
    this.frames = Math.ceil(2 * MOST_S * rate);
    this.left = new Float32Array(this.frames);
    this.right = new Float32Array(this.frames);
  }

  /** Seconds held now. */
  get heldS(): number {
    return (this.written - this.played) / this.rate;
  }

  /** Takes interleaved stereo. */
  push(samples: Int16Array): void {
    for (let i = 0; i + 1 < samples.length; i += 2) {
      const at = this.written % this.frames;
      this.left[at] = (samples[i] ?? 0) / 32768;
      this.right[at] = (samples[i + 1] ?? 0) / 32768;
      this.written += 1;
    }
    if (this.heldS > MOST_S) this.refill();
  }

  /** Fills both with what is due; with silence while there is too little. */
  pull(left: Float32Array, right: Float32Array): void {
    if (!this.playing && this.heldS >= TARGET_S) {
      this.refill();
      this.playing = true;
      this.began = true;
    }
    const speed = 1 + Math.max(-MOST_BEND, Math.min(MOST_BEND, (this.smoothFill - TARGET_S) * BEND_PER_S));
    if (this.playing && this.written - this.played < left.length * speed + 2) {
      this.playing = false;
      if (this.began) this.gaps += 1;
    }
    if (!this.playing) {
      left.fill(0);
      right.fill(0);
      return;
    }
    this.smoothFill += (this.heldS - this.smoothFill) * FOLLOW;
    for (let i = 0; i < left.length; i += 1) {
      const whole = Math.floor(this.played);
      const part = this.played - whole;
      left[i] = between(this.left, whole, part, this.frames);
      right[i] = between(this.right, whole, part, this.frames);
      this.played += speed;
    }
  }

  private refill(): void {
    this.played = this.written - Math.round(TARGET_S * this.rate);
    this.smoothFill = TARGET_S;
  }
}

function between(samples: Float32Array, at: number, part: number, length: number): number {
  const one = samples[at % length] ?? 0;
  const next = samples[(at + 1) % length] ?? 0;
  return one + (next - one) * part;
}
