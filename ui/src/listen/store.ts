// Plays the engine's sound in this browser. A WebSocket receives the sound, and an audio worklet
// plays it. Reconnects until the user stops listening.
import { messageOf } from '../api/client';
import { at } from '../app/base';
import { Observable } from '../live/observable';
import type { Figures } from './worklet';
import workletUrl from './worklet.ts?worker&url';

const RETRY_MS = 1500;

interface Format {
  sample_rate_hz: number;
}

export interface ListenState {
  /** Whether the user has started listening. */
  wanted: boolean;
  /** How much this browser delays the sound, in seconds, without the delay of the network; null
   *  while nothing plays. */
  latencyS: number | null;
  /** Number of gaps in the sound since listening started. */
  gaps: number;
  error: string | null;
}

const OFF: ListenState = { wanted: false, latencyS: null, gaps: 0, error: null };

export class ListenStore {
  readonly state = new Observable<ListenState>(OFF);
  private socket: WebSocket | null = null;
  private context: AudioContext | null = null;
  private node: AudioWorkletNode | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts listening. Call this when the user clicks, because browsers block sound before the
   *  first click. */
  start = (): void => {
    this.state.set({ ...OFF, wanted: true });
    this.connect();
  };

  stop = (): void => {
    clearTimeout(this.timer);
    this.disconnect();
    this.state.set(OFF);
  };

  private connect(): void {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${at('/api/listen')}`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== 'string') this.node?.port.postMessage(data, [data]);
      else void this.play(socket, JSON.parse(data) as Format).catch((error: unknown) => this.fail(messageOf(error)));
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.disconnect();
      this.fail('no sound from the engine: the engine does not answer or has too many listeners; trying again');
      this.timer = setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  /** Creates a player with the sample rate of the stream. The browser resamples the sound to the
   *  rate of the sound device. */
  private async play(socket: WebSocket, { sample_rate_hz }: Format): Promise<void> {
    const old = this.context;
    [this.context, this.node] = [null, null];
    await old?.close();
    if (socket !== this.socket) return; // The user has stopped listening meanwhile.
    const context = new AudioContext({ sampleRate: sample_rate_hz, latencyHint: 'playback' });
    this.context = context;
    await context.audioWorklet.addModule(workletUrl);
    if (context !== this.context) return; // The user has stopped listening meanwhile.
    const node = new AudioWorkletNode(context, 'khor-listener', { numberOfInputs: 0, outputChannelCount: [2] });
    node.port.onmessage = ({ data }: MessageEvent<Figures>) => {
      const latencyS = data.heldS + context.baseLatency + context.outputLatency;
      this.state.set({ wanted: true, latencyS, gaps: data.gaps, error: null });
    };
    node.connect(context.destination);
    this.node = node;
    await context.resume();
  }

  private disconnect(): void {
    const { socket, context } = this;
    [this.socket, this.context, this.node] = [null, null, null];
    socket?.close();
    void context?.close();
  }

  private fail(error: string): void {
    this.state.set({ ...this.state.get(), latencyS: null, error });
  }
}
