// Stores the settings and sends the user's edits. The page shows an edit at once and sends it after
// a pause. If the engine rejects the edit, the page reverts it and shows the error.
import { ApiError, messageOf, type Client } from '../api/client';
import type { Preset } from '../api/types';
import type { Controls, Device } from '../api/types';
import { Observable } from '../live/observable';
import { equal, fromConfig, fromControls, mutedByHand, nested, type Path, type Settings } from './settings';

/** Pause before an edit is sent, in milliseconds. With this pause, moving a slider sends only its
 *  last value. */
const DEBOUNCE_MS = 180;
/** After the engine has confirmed an edit, the page ignores other values of the setting for this
 *  time, in milliseconds, because events with the old value may still arrive. */
const HOLD_MS = 500;

export interface SettingsState {
  /** The engine's settings together with unconfirmed edits; null until the engine has answered. */
  values: Settings | null;
  errors: Partial<Record<Path, string>>;
  /** Whether the engine must be restarted, because the user has changed a setting that takes effect
   *  only then. */
  restartRequired: boolean;
}

interface Edit {
  value: Settings[Path];
  /** The value before the edit. If the engine has a different value, another client has changed the
   *  setting. */
  base: Settings[Path] | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** The page shows the edit instead of the engine's value until this time, in milliseconds of
   *  `performance.now`. */
  heldUntil: number;
}

export class SettingsStore {
  readonly state = new Observable<SettingsState>({ values: null, errors: {}, restartRequired: false });
  readonly presets = new Observable<readonly Preset[]>([]);
  /** Name of the preset whose unsaved version plays as a preview; null if there is no preview. */
  readonly previewing = new Observable<string | null>(null);
  /** Problems in the user's preset files. */
  readonly presetProblems = new Observable<readonly string[]>([]);
  readonly devices = new Observable<Device[]>([]);
  /** Error of the last action (test note, panic, snooze or unmute); null if it succeeded. */
  readonly actionError = new Observable<string | null>(null);
  /** Called after each edit that the engine has confirmed, because the edit may have started or
   *  stopped a part of the engine. */
  onConfirmed: () => void = () => undefined;

  private readonly client: Client;
  /** The engine's settings as the engine last reported them, without edits that the engine has not
   *  confirmed yet. */
  private confirmed: Settings | null = null;
  /** Whether the user has muted khor. This value is not part of the config. The event stream may
   *  send it before the first config arrives. */
  private muted = false;
  private readonly edits = new Map<Path, Edit>();
  /** A promise that resolves when all queued edits are sent. The page sends one edit at a time,
   *  because each edit needs the config version that the previous edit has created. */
  private queue: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.client = client;
  }

  /** Fetches the whole config, because the event stream sends only some of the settings. Ignores
   *  errors. */
  refresh = async (): Promise<void> => {
    const [config] = await Promise.allSettled([this.client.config()]);
    if (config.status === 'fulfilled') this.adopt(fromConfig(config.value));
  };

  /** Fetches settings, presets and sound devices again, and clears old errors. Called each time the
   *  page has connected to the engine. */
  reload = async (): Promise<void> => {
    this.actionError.set(null);
    this.state.set({ ...this.state.get(), errors: {}, restartRequired: false });
    await Promise.allSettled([this.refreshPresets(), this.refresh(), this.refreshDevices()]);
  };

  refreshPresets = async (): Promise<void> => {
    const [presets] = await Promise.allSettled([this.client.presets()]);
    if (presets.status !== 'fulfilled') return;
    this.presets.set(presets.value.presets);
    this.previewing.set(presets.value.previewing);
    this.presetProblems.set(presets.value.problems);
  };

  /** Fetches the list of sound devices. The page does not do this periodically, because the engine
   *  opens each device to list it. */
  refreshDevices = async (): Promise<void> => {
    const [devices] = await Promise.allSettled([this.client.devices()]);
    if (devices.status === 'fulfilled') this.devices.set(devices.value.devices);
  };

  /** Applies the settings that the event stream has sent, so that all tabs show the same values. */
  follow(controls: Controls): void {
    this.muted = mutedByHand(controls);
    if (this.confirmed !== null) this.adopt(fromControls(controls));
  }

  /** Shows an edit at once, and sends it to the engine after `pause` milliseconds. */
  edit = <P extends Path>(path: P, value: Settings[P], pause = DEBOUNCE_MS): void => {
    clearTimeout(this.edits.get(path)?.timer);
    const base = this.state.get().values?.[path];
    const timer = setTimeout(() => {
      this.queue = this.queue.then(() => this.flush(path));
    }, pause);
    this.edits.set(path, { value, base: this.edits.get(path)?.base ?? base, timer, heldUntil: Infinity });
    this.publish({ [path]: undefined });
  };

  testNote = (): Promise<void> => this.act(this.client.testNote);

  panic = (): Promise<void> => this.act(this.client.panic);

  snooze = (minutes: number, leaving = false): Promise<void> => this.act(() => this.client.snooze(minutes, leaving));

  /** Ends a mute, a snooze, and the current quiet hours. */
  unmute = (): Promise<void> => this.act(() => this.client.mute(false));

  private async act(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
      this.actionError.set(null);
    } catch (error) {
      this.actionError.set(messageOf(error));
    }
  }

  private async flush(path: Path): Promise<void> {
    const edit = this.edits.get(path);
    if (edit === undefined) return;
    edit.timer = undefined;
    try {
      const restart = await this.send(path, edit);
      const now = this.edits.get(path);
      if (now !== undefined) now.base = edit.value;
      if (now !== edit) return; // The user has edited the setting again.
      edit.heldUntil = performance.now() + HOLD_MS;
      if (this.confirmed !== null) this.confirmed = { ...this.confirmed, [path]: edit.value };
      this.publish({ [path]: undefined }, restart);
      this.onConfirmed();
    } catch (error) {
      if (this.edits.get(path) !== edit) return;
      this.edits.delete(path);
      this.publish({ [path]: messageOf(error) });
    }
  }

  /** Sends an edit to the engine. Returns true if the edit takes effect only after a restart of the
   *  engine. */
  private async send(path: Path, { value, base }: Edit): Promise<boolean> {
    if (path === 'muted') {
      await this.client.mute(value === true);
    } else if (path === 'music.preset') {
      await this.client.selectPreset(String(value));
      this.adopt(fromConfig(await this.client.config())); // A preset may change other settings.
    } else if (path === 'audio.device') {
      await this.client.selectDevice(String(value));
      this.adopt(fromConfig(await this.client.config()));
    } else {
      const answer = await this.patch(path, value, base);
      this.adopt(fromConfig(answer));
      return answer.restart_required;
    }
    return false;
  }

  /** Sends an edit as a patch. If another client has changed the config, fetches the new config and
   *  sends the patch again, unless that client has changed the same setting. */
  private async patch(path: Path, value: Settings[Path], base: Settings[Path] | undefined) {
    try {
      return await this.client.patchConfig(nested(path, value));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      const fresh = fromConfig(await this.client.config());
      this.adopt(fresh);
      if (path in fresh && !equal({ muted: undefined, ...fresh }[path], base))
        throw new ApiError(412, 'another client changed this setting just now; the field shows the new value', []);
      return this.client.patchConfig(nested(path, value));
    }
  }

  /** Stores settings that the engine has confirmed. */
  private adopt(values: Partial<Settings>): void {
    this.confirmed = { muted: this.muted, ...this.confirmed, ...values } as Settings;
    const now = performance.now();
    for (const [path, edit] of this.edits) if (edit.heldUntil <= now) this.edits.delete(path);
    this.publish({});
  }

  /** Updates `state` from the confirmed settings and the edits, and sets or clears the errors of
   *  single settings. */
  private publish(errors: Partial<Record<Path, string | undefined>>, restart = false): void {
    const old = this.state.get();
    const overlay = Object.fromEntries([...this.edits].map(([path, edit]) => [path, edit.value]));
    const values = this.confirmed === null ? null : { ...this.confirmed, ...overlay };
    const next: SettingsState = {
      values: same(values, old.values) ? old.values : values,
      errors: Object.keys(errors).length === 0 ? old.errors : defined({ ...old.errors, ...errors }),
      restartRequired: old.restartRequired || restart,
    };
    if (next.values !== old.values || next.errors !== old.errors || next.restartRequired !== old.restartRequired) this.state.set(next);
  }
}

function same(a: Settings | null, b: Settings | null): boolean {
  if (a === null || b === null) return a === b;
  return (Object.keys(a) as Path[]).every((path) => equal(a[path], b[path]));
}

function defined(errors: Partial<Record<Path, string | undefined>>): Partial<Record<Path, string>> {
  return Object.fromEntries(Object.entries(errors).filter(([, text]) => text !== undefined));
}
