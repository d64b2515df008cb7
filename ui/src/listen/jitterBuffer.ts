// A jitter buffer: receives blocks of samples at irregular times, and plays the samples steadily.
// It plays slightly faster or slower than normal, because the clocks of the engine and the browser
// differ.

/** Target amount of sound in the buffer, in seconds. The target is longer than the usual delays of
 *  the network and the page. */
export const TARGET_S = 0.15;
/** Maximum amount of sound in the buffer, in seconds. If the buffer contains more, the page was
 *  probably suspended. The buffer then drops the oldest sound. */
const MOST_S = 1;
/** Largest deviation of the playback speed from 1. It is a fortieth of a semitone, which is
 *  inaudible. */
const MOST_BEND = 0.0015;
/** The playback speed rises by this share of the normal speed for each second of sound that the
 *  buffer contains above its target. */
const BEND_PER_S = 0.01;
/** Weight of the newest value in the running mean of the amount of sound in the buffer. Each call
 *  of `pull` adds one value and plays 128 frames. */
const FOLLOW = 0.002;

export class JitterBuffer {
  /** How often playback was interrupted because the buffer was empty. */
  gaps = 0;
  private readonly rate: number;
  private readonly left: Float32Array;
  private readonly right: Float32Array;
  /** Capacity of the buffer, in frames. */
  private readonly frames: number;
  /** `written` is the position of the next frame to write, and `played` the position of the next
   *  frame to play. Both count frames since the start. `played` has a fractional part. */
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

  /** Amount of sound in the buffer, in seconds. */
  get heldS(): number {
    return (this.written - this.played) / this.rate;
  }

  /** Adds interleaved stereo samples to the buffer. */
  push(samples: Int16Array): void {
    for (let i = 0; i + 1 < samples.length; i += 2) {
      const at = this.written % this.frames;
      this.left[at] = (samples[i] ?? 0) / 32768;
      this.right[at] = (samples[i + 1] ?? 0) / 32768;
      this.written += 1;
    }
    if (this.heldS > MOST_S) this.moveToTarget();
  }

  /** Fills both channels with the next samples, or with silence while the buffer contains too few
   *  samples. */
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

  /** Moves the playback position, so that the buffer contains exactly the target amount of
   *  sound. */
  private moveToTarget(): void {
    this.played = this.written - Math.round(TARGET_S * this.rate);
    this.smoothFill = TARGET_S;
  }
}

/** Returns the sample at a position between two frames, by linear interpolation. */
function between(samples: Float32Array, at: number, part: number, length: number): number {
  const one = samples[at % length] ?? 0;
  const next = samples[(at + 1) % length] ?? 0;
  return one + (next - one) * part;
}
