// The typed door to the engine's HTTP API: one function per call, one error type for everything that goes wrong.
import type { Config, ConfigAnswer, Device, Health, MetricsWithHistory, Preset } from './types';

const TIMEOUT_MS = 5000;

/** What the engine said, or that it said nothing; `status` is 0 when there was no answer. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

function errorText(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  return typeof body.error === 'string' && body.error !== '' ? body.error : null;
}

export class Client {
  private readonly fetch: Fetch;

  constructor(fetcher: Fetch = (input, init) => globalThis.fetch(input, init)) {
    this.fetch = fetcher;
  }

  health = () => this.call<Health>('GET', '/api/health');
  metrics = () => this.call<MetricsWithHistory>('GET', '/api/metrics');
  config = () => this.call<Config>('GET', '/api/config');
  patchConfig = (part: object) => this.call<ConfigAnswer>('PATCH', '/api/config', part);
  presets = () => this.call<{ presets: Preset[]; current: string }>('GET', '/api/presets');
  selectPreset = (name: string) =>
    this.call<{ ok: true; preset: string }>('POST', `/api/preset/select?name=${encodeURIComponent(name)}`);
  devices = () => this.call<{ devices: Device[] }>('GET', '/api/audio/devices');
  selectDevice = (device: string) => this.call<{ ok: true; device: string }>('POST', '/api/audio/device', { device });
  testNote = () => this.call<{ ok: true }>('POST', '/api/actions/test_note');
  startRecording = () => this.call<{ ok: true; file: string }>('POST', '/api/recording/start');
  stopRecording = () => this.call<{ ok: true; file: string; seconds: number }>('POST', '/api/recording/stop');
  panic = () => this.call<{ ok: true }>('POST', '/api/actions/panic');
  mute = (on: boolean) => this.call<{ ok: true; muted: boolean }>('POST', `/api/actions/mute?on=${String(on)}`);

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const init: RequestInit = { method, signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' };
    if (body !== undefined) {
      init.headers = { 'content-type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    let answer: Response;
    try {
      answer = await this.fetch(path, init);
    } catch {
      throw new ApiError(0, 'the engine is not answering');
    }
    let json: unknown;
    try {
      json = await answer.json();
    } catch {
      throw new ApiError(answer.status, `${method} ${path}: the answer (HTTP ${answer.status}) is not JSON`);
    }
    if (!answer.ok) throw new ApiError(answer.status, errorText(json) ?? `${method} ${path}: HTTP ${answer.status}`);
    return json as T;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
