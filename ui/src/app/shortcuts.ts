// The keys of `khor top`, on the page too: what each does, and when a key is meant for something else.
import { Observable } from '../live/observable';

const KEY = 'khor.keys';
/** How long `s` silences, minutes; as in `khor top`. */
export const SNOOZE_MIN = 15;

/** The keys, as they are explained. */
export const KEYS: readonly (readonly [key: string, does: string])[] = [
  ['m', 'mute, or unmute what was muted'],
  ['s', `silence for ${SNOOZE_MIN} minutes, or the end of it`],
  ['n', 'the next preset'],
  ['p', 'the preset before'],
  ['?', 'this list, or away with it'],
];

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true; // storage may be forbidden; the choice then lasts as long as the page
  }
}

/** Whether somebody types there, or chooses by letters. */
function takesLetters(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['range', 'checkbox', 'radio', 'button'].includes(target.type);
}

/** The key of the list that was pressed; null where it is meant for something else. */
export function keyOf(event: KeyboardEvent): string | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || takesLetters(event.target)) return null;
  const { key } = event;
  return KEYS.some(([it]) => it === key) ? key : null;
}

/** The name so many places further in the list, which is a ring. */
export function neighbour(names: readonly string[], current: string | undefined, places: number): string | undefined {
  const at = names.indexOf(current ?? '');
  return at < 0 ? names[0] : names[(at + places + names.length) % names.length];
}

export class KeysStore {
  /** Single letters get in the way of speech input, so they can be switched off. */
  readonly on = new Observable(stored());
  /** Whether they are explained now. */
  readonly help = new Observable(false);

  turn = (on: boolean): void => {
    this.on.set(on);
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off');
    } catch {
      // See `stored`.
    }
  };
}
