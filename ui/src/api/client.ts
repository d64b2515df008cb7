// The client of the engine's HTTP API: one function for each operation, and one type of error.
import { at, BASE } from '../app/base';
import type { PresetDetail, PresetFile, PresetList, Previewed, Problem, Vocabulary } from './types';
import type { Config, ConfigAnswer, Device, DoctorCheck, Fleet, Health, HistoryColumns, RecordingFile } from './types';

const TIMEOUT_MS = 5000;

/** A failed request, with the engine's error message. `status` is the HTTP status, or 0 if the
 *  engine did not answer. */
export class ApiError extends Error {
  readonly status: number;
  /** The problems of a rejected preset, each with the path of its field. */
  readonly problems: readonly Problem[];
  /** Whether the user can log in with the engine's token. */
  readonly asksToken: boolean;

  constructor(status: number, message: string, problems: readonly Problem[] = [], asksToken = false) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.problems = problems;
    this.asksToken = asksToken;
  }
}

type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

function errorText(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  return typeof body.error === 'string' && body.error !== '' ? body.error : null;
}

function problemsOf(body: unknown): Problem[] {
  if (typeof body !== 'object' || body === null || !('problems' in body)) return [];
  return Array.isArray(body.problems) ? (body.problems as Problem[]) : [];
}

const preset = (name: string) => `/api/presets/${encodeURIComponent(name)}`;

export class Client {
  private readonly fetch: Fetch;
  /** Version of the config that this page received last. Each patch sends this version, so that the
   *  engine rejects the patch if another client has changed the config since then. */
  private configTag: string | null = null;

  constructor(fetcher: Fetch = (input, init) => globalThis.fetch(input, init)) {
    this.fetch = fetcher;
  }

  health = () => this.call<Health>('GET', '/api/health');
  /** Fetches the history after the time `known`, or the whole history if `known` is null. */
  history = (known: number | null) => this.call<HistoryColumns>('GET', `/api/history${known === null ? '' : `?since_ts_ms=${known}`}`);
  config = () => this.call<Config>('GET', '/api/config');
  patchConfig = (part: object) => this.call<ConfigAnswer>('PATCH', '/api/config', part);
  presets = () => this.call<PresetList>('GET', '/api/presets');
  selectPreset = (name: string) =>
    this.call<{ ok: true; preset: string }>('POST', `/api/preset/select?name=${encodeURIComponent(name)}`);
  vocabulary = () => this.call<Vocabulary>('GET', '/api/mapping');
  preset = (name: string) => this.call<PresetDetail>('GET', preset(name));
  savePreset = (name: string, file: PresetFile) => this.call<PresetDetail>('PUT', preset(name), { ...file, name });
  deletePreset = (name: string) => this.call<{ ok: true }>('DELETE', preset(name));
  checkPreset = (file: PresetFile) => this.call<{ ok: boolean; problems: Problem[] }>('POST', '/api/presets/check', file);
  preview = (file: PresetFile) => this.call<{ ok: true }>('POST', '/api/presets/preview', file);
  previewed = () => this.call<Previewed>('GET', '/api/presets/preview');
  endPreview = () => this.call<{ ok: true }>('DELETE', '/api/presets/preview');
  devices = () => this.call<{ devices: Device[] }>('GET', '/api/audio/devices');
  selectDevice = (device: string) => this.call<{ ok: true; device: string }>('POST', '/api/audio/device', { device });
  testNote = () => this.call<{ ok: true }>('POST', '/api/actions/test_note');
  startRecording = (format: string) => this.call<{ ok: true; file: string }>('POST', `/api/recording/start?format=${format}`);
  stopRecording = () => this.call<{ ok: true; file: string; seconds: number }>('POST', '/api/recording/stop');
  recordings = () => this.call<{ folder: string; recordings: RecordingFile[] }>('GET', '/api/recordings');
  panic = () => this.call<{ ok: true }>('POST', '/api/actions/panic');
  mute = (on: boolean) => this.call<{ ok: true; muted: boolean }>('POST', `/api/actions/mute?on=${String(on)}`);
  /** Snoozes the sound for `minutes`. If `leaving` is true, the request continues after the page is
   *  closed. */
  snooze = (minutes: number, leaving = false) =>
    this.call<{ ok: true; snoozed_until_ts_ms: number | null }>('POST', `/api/actions/snooze?minutes=${minutes}`, undefined, leaving);
  baseline = (what: 'freeze' | 'unfreeze' | 'forget') => this.call<{ ok: true }>('POST', `/api/actions/baseline?do=${what}`);
  login = (token: string) => this.call<{ ok: true }>('POST', '/api/login', { token, path: BASE });
  units = () => this.call<{ units: string[] }>('GET', '/api/units');
  fleet = () => this.call<Fleet>('GET', '/api/fleet');
  doctor = () => this.call<{ ok: boolean; checks: DoctorCheck[] }>('GET', '/api/doctor');

  private async call<T>(method: string, path: string, body?: object, keepalive = false): Promise<T> {
    const init: RequestInit = { method, signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store', keepalive };
    const headers: Record<string, string> = {};
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    if (method === 'PATCH' && this.configTag !== null) headers['if-match'] = this.configTag;
    init.headers = headers;
    let answer: Response;
    try {
      answer = await this.fetch(at(path), init);
    } catch {
      throw new ApiError(0, 'the engine is not answering');
    }
    let json: unknown;
    try {
      json = await answer.json();
    } catch {
      throw new ApiError(answer.status, `${method} ${path}: the answer (HTTP ${answer.status}) is not JSON`);
    }
    if (!answer.ok) {
      const asksToken = answer.headers.has('www-authenticate');
      throw new ApiError(answer.status, errorText(json) ?? `${method} ${path}: HTTP ${answer.status}`, problemsOf(json), asksToken);
    }
    if (path === '/api/config') this.configTag = answer.headers.get('etag');
    return json as T;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a request failed because the engine does not support the operation, for example because
 *  the engine is older than the page. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 405);
}
