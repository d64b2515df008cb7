// Stores the state of the preset editor. Fetches the selected preset, asks the engine to check
// every change, and previews and saves the draft.
import { ApiError, isUnsupported, messageOf, type Client } from '../api/client';
import type { PresetFile, Problem, Vocabulary } from '../api/types';
import type { SettingsStore } from '../controls/store';
import { Observable } from '../live/observable';
import { change, draftOf, edited, redo, undo, type Draft } from './draft';

/** How long the editor waits after a change before the engine checks it, in milliseconds. */
const CHECK_MS = 250;

export interface EditorState {
  /** Name of the preset in the editor; null if none is open. */
  name: string | null;
  draft: Draft | null;
  problems: readonly Problem[];
  error: string | null;
  /** A short message about the last successful action. */
  done: string | null;
}

const NONE: EditorState = { name: null, draft: null, problems: [], error: null, done: null };

export class EditorStore {
  /** The signals, features and curves that a mapping can use; null if the engine does not provide
   *  them. */
  readonly vocabulary = new Observable<Vocabulary | null>(null);
  readonly state = new Observable<EditorState>(NONE);
  private readonly client: Client;
  private readonly settings: SettingsStore;
  /** The drafts of all presets that the user has opened. The key is the name of the preset. */
  private readonly drafts = new Map<string, Draft>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Name of the preset whose preview this page has started or restored; null if there is none. */
  private played: string | null = null;

  constructor(client: Client, settings: SettingsStore) {
    this.client = client;
    this.settings = settings;
    settings.previewing.subscribe(() => void this.restore());
  }

  /** Fetches the open preset again, and the signals and features that a mapping can use. Called
   *  each time the page has connected to the engine. */
  reload = async (): Promise<void> => {
    try {
      this.vocabulary.set(await this.client.vocabulary());
    } catch (error) {
      if (isUnsupported(error)) this.vocabulary.set(null);
      return;
    }
    const { name } = this.state.get();
    if (name !== null) await this.open(name);
  };

  open = async (name: string): Promise<void> => {
    const kept = this.drafts.get(name);
    this.put({ ...NONE, name, draft: kept ?? null });
    try {
      const { preset } = await this.client.preset(name);
      if (this.state.get().name !== name) return;
      const draft = kept !== undefined && edited(kept) ? { ...kept, saved: preset } : draftOf(preset);
      this.put({ name, draft });
      this.checkSoon();
      await this.restore();
    } catch (error) {
      if (this.state.get().name === name) this.put({ error: messageOf(error) });
    }
  };

  isEdited(name: string): boolean {
    const draft = this.drafts.get(name);
    return draft !== undefined && edited(draft);
  }

  edit = (next: (file: PresetFile) => PresetFile, about: string | null = null): void => {
    const { draft } = this.state.get();
    if (draft !== null) this.setDraft(change(draft, next(draft.file), about));
  };

  undo = (): void => this.step(undo);

  redo = (): void => this.step(redo);

  revert = (): void => this.step((draft) => change(draft, draft.saved));

  /** Starts a preview: the unsaved draft plays from the next bar on. During a preview, each valid
   *  edit plays at once. */
  preview = async (): Promise<void> => {
    const { draft, name } = this.state.get();
    if (draft === null || name === null) return;
    await this.attempt(async () => {
      this.played = name;
      await this.client.preview({ ...draft.file, name });
      this.settings.previewing.set(name);
    });
  };

  endPreview = (): Promise<void> =>
    this.attempt(async () => {
      await this.client.endPreview();
      this.played = null;
      this.settings.previewing.set(null);
    });

  saveAs = (name: string): Promise<void> =>
    this.attempt(async () => {
      const { draft, name: origin } = this.state.get();
      if (draft === null) return;
      const { preset } = await this.client.savePreset(name, draft.file);
      if (origin !== null) this.drafts.delete(origin);
      this.put({ ...NONE, name, draft: draftOf(preset), done: `Saved as ${name}.` });
      await this.settings.refreshPresets();
      this.settings.edit('music.preset', name, 0);
      this.settings.previewing.set(null);
    });

  remove = (name: string): Promise<void> =>
    this.attempt(async () => {
      await this.client.deletePreset(name);
      this.drafts.delete(name);
      this.put({ done: `Deleted ${name}.` });
      await this.settings.refreshPresets();
      await this.settings.refresh();
    });

  /** If the engine was already playing a preview when the page was loaded, restores the previewed
   *  preset as the draft. */
  private async restore(): Promise<void> {
    const { name, draft } = this.state.get();
    if (name === null || draft === null || edited(draft) || this.played === name || this.settings.previewing.get() !== name) return;
    try {
      const previewed = await this.client.previewed();
      if (this.state.get().draft !== draft || previewed.name !== name) return;
      this.played = name;
      const restored = change(draft, previewed.preset);
      if (!edited(restored)) return;
      this.setDraft(restored);
      this.put({ done: 'Restored the unsaved version that is playing.' });
    } catch {
      // The preview has ended, or the engine is too old to support this request.
    }
  }

  private step(how: (draft: Draft) => Draft): void {
    const { draft } = this.state.get();
    if (draft !== null) this.setDraft(how(draft));
  }

  private setDraft(draft: Draft): void {
    this.put({ draft, error: null, done: null });
    this.checkSoon();
  }

  private checkSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), CHECK_MS);
  }

  private async check(): Promise<void> {
    const { draft, name } = this.state.get();
    if (draft === null || name === null) return;
    try {
      const { ok, problems } = await this.client.checkPreset({ ...draft.file, name });
      // If the user has edited the draft again, ignore this result. The new edit has its own check.
      if (this.state.get().draft !== draft) return;
      this.put({ problems });
      if (ok && this.settings.previewing.get() === name) await this.preview();
    } catch (error) {
      this.put({ error: messageOf(error) });
    }
  }

  private async attempt(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      const problems = error instanceof ApiError && error.problems.length > 0 ? { problems: error.problems } : {};
      this.put({ error: messageOf(error), ...problems });
    }
  }

  private put(part: Partial<EditorState>): void {
    const next = { ...this.state.get(), ...part };
    if (next.name !== null && next.draft !== null) this.drafts.set(next.name, next.draft);
    this.state.set(next);
  }
}
