// The draft of a preset, which is its edited version, with undo and redo.
import type { PresetFile, Route } from '../api/types';

/** Maximum number of undo steps. */
const MOST = 200;

export interface Draft {
  readonly saved: PresetFile;
  readonly file: PresetFile;
  readonly past: readonly PresetFile[];
  readonly future: readonly PresetFile[];
  /** The field that was changed last. Further changes of this field belong to the same undo
   *  step. */
  readonly last: string | null;
}

export function draftOf(saved: PresetFile): Draft {
  return { saved, file: saved, past: [], future: [], last: null };
}

/** Returns the draft with the changed preset `file`. `about` names the changed field. Consecutive
 *  changes of the same field are one undo step. A change without `about` is an undo step of its
 *  own. */
export function change(draft: Draft, file: PresetFile, about: string | null = null): Draft {
  const same = about !== null && about === draft.last && draft.past.length > 0;
  return { ...draft, file, past: same ? draft.past : [...draft.past, draft.file].slice(-MOST), future: [], last: about };
}

export function undo(draft: Draft): Draft {
  const before = draft.past.at(-1);
  if (before === undefined) return draft;
  return { ...draft, file: before, past: draft.past.slice(0, -1), future: [draft.file, ...draft.future], last: null };
}

export function redo(draft: Draft): Draft {
  const [next, ...future] = draft.future;
  if (next === undefined) return draft;
  return { ...draft, file: next, past: [...draft.past, draft.file], future, last: null };
}

/** Whether the draft has unsaved changes. */
export function edited({ saved, file }: Draft): boolean {
  return saved !== file && JSON.stringify(saved) !== JSON.stringify(file);
}

export function withRoute(file: PresetFile, index: number, part: Partial<Route>): PresetFile {
  return { ...file, map: (file.map ?? []).map((route, i) => (i === index ? { ...route, ...part } : route)) };
}

export function withoutRoute(file: PresetFile, index: number): PresetFile {
  return { ...file, map: (file.map ?? []).filter((_, i) => i !== index) };
}
