// A jitter buffer: it stores samples that arrive irregularly in blocks, and plays them steadily. It
// plays slightly faster or slower, because the clocks of engine and browser differ.

/** How much sound the buffer stores, seconds: more than the usual delays of network and page. */
export const TARGET_S = 0.15;
/** With more sound than this, the buffer drops the oldest, seconds. The page was then suspended. */
const MOST_S = 1;
/** Largest difference of the speed from 1: a fortieth of a semitone, which is inaudible. */
const MOST_BEND = 0.0015;
/** Change of the speed for each second of sound above the target. */
const BEND_PER_S = 0.01;
/** Weight of the newest value in the mean amount of sound. Each pull of 128 frames adds a value. */
const FOLLOW = 0.002;

export class JitterBuffer {
  /** How often the buffer was empty after it had begun to play. */
  gaps = 0;
  private readonly rate: number;
  private readonly left: Float32Array;
  private readonly right: Float32Array;
  /** Size of the buffer, frames. */
  private readonly frames: number;
  /** Positions of the next frame to write and of the next to play, frames since the start. The
   *  second has a fraction. */
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

  /** Sound in the buffer, seconds. */
  get heldS(): number {
    return (this.written - this.played) / this.rate;
  }

  /** Adds interleaved stereo samples. */
  push(samples: Int16Array): void {
    for (let i = 0; i + 1 < samples.length; i += 2) {
      const at = this.written % this.frames;
      this.left[at] = (samples[i] ?? 0) / 32768;
      this.right[at] = (samples[i + 1] ?? 0) / 32768;
      this.written += 1;
    }
    if (this.heldS > MOST_S) this.moveToTarget();
  }

  /** Fills both channels with the next samples, or with silence while there are too few. */
  pull(left: Float32Array, right: Float32Array): void {
    if (!this.playing && this.heldS >= TARGET_S) {
      this.moveToTarget();
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

  /** Moves the playback position, so that the buffer has the target amount of sound. */
  private moveToTarget(): void {
    this.played = this.written - Math.round(TARGET_S * this.rate);
    this.smoothFill = TARGET_S;
  }
}

/** The sample at a position between two frames, by linear interpolation. */
function between(samples: Float32Array, at: number, part: number, length: number): number {
  const one = samples[at % length] ?? 0;
  const next = samples[(at + 1) % length] ?? 0;
  return one + (next - one) * part;
}
