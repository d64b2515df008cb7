// The audio worklet, which runs on the browser's audio thread. It receives samples as messages from
// the page, and plays them through a jitter buffer.
import { JitterBuffer } from './jitterBuffer';

// Globals of the audio thread that TypeScript's library does not declare.
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

/** The state of the buffer, which the worklet sends to the page twice a second. */
export interface Figures {
  /** Amount of sound in the buffer, in seconds. */
  heldS: number;
  gaps: number;
}

const FIGURES_EVERY_S = 0.5;

class Listener extends AudioWorkletProcessor {
  private readonly buffer = new JitterBuffer(sampleRate);
  private untilFigures = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => this.buffer.push(new Int16Array(data));
  }

  override process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [left, right] = outputs[0] ?? [];
    if (left === undefined || right === undefined) return true;
    this.buffer.pull(left, right);
    this.untilFigures -= left.length / sampleRate;
    if (this.untilFigures <= 0) {
      this.untilFigures = FIGURES_EVERY_S;
      this.port.postMessage({ heldS: this.buffer.heldS, gaps: this.buffer.gaps } satisfies Figures);
    }
    return true;
  }
}

registerProcessor('khor-listener', Listener);
