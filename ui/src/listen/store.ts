// Listening in this browser: the engine's sound by WebSocket into an audio worklet, again and again until it is stopped.
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
  wanted: boolean;
  /** Seconds from the engine's sound to this loudspeaker, network left out; null while nothing plays. */
  latencyS: number | null;
  /** Times the sound was torn since it began. */
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

  /** Must be called from a click: browsers let no page make sound by itself. */
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
      this.fail('the engine sends no sound: it is gone, or as many listen as it serves');
      this.timer = setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  /** Makes a player of the stream's own rate; the browser converts that to its device's. */
  private async play(socket: WebSocket, { sample_rate_hz }: Format): Promise<void> {
    const old = this.context;
    [this.context, this.node] = [null, null];
    await old?.close();
    if (socket !== this.socket) return; // stopped meanwhile
    const context = new AudioContext({ sampleRate: sample_rate_hz, latencyHint: 'playback' });
    this.context = context;
    await context.audioWorklet.addModule(workletUrl);
    if (context !== this.context) return; // and closed
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
