// The page's keyboard shortcuts, which are the same as in `khor top`: lists the keys, and finds the
// shortcut for a key press.
import { Observable } from '../live/observable';

const KEY = 'khor.keys';
/** Length of the snooze that the key `s` starts, in minutes. It is the same as in `khor top`. */
export const SNOOZE_MIN = 15;

/** The shortcut keys with their descriptions. */
export const KEYS: readonly (readonly [key: string, does: string])[] = [
  ['m', 'mute or unmute'],
  ['s', `snooze for ${SNOOZE_MIN} minutes, or end a snooze`],
  ['n', 'next preset'],
  ['p', 'previous preset'],
  ['?', 'open or close this list'],
];

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true; // The browser may forbid storage. The choice then lasts until the page is closed.
  }
}

/** Whether an element handles letter keys itself, as text fields and lists do. */
function takesLetters(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['range', 'checkbox', 'radio', 'button'].includes(target.type);
}

/** Returns the shortcut for a key press, or null if the key press is not a shortcut. */
export function keyOf(event: KeyboardEvent): string | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || takesLetters(event.target)) return null;
  const { key } = event;
  return KEYS.some(([it]) => it === key) ? key : null;
}

/** Returns the name that is `places` after `current` in the list. After the last name, the list
 *  continues with the first. */
export function neighbour(names: readonly string[], current: string | undefined, places: number): string | undefined {
  const at = names.indexOf(current ?? '');
  return at < 0 ? names[0] : names[(at + places + names.length) % names.length];
}

export class KeysStore {
  /** Whether shortcuts are on. Users of speech input can switch them off, because speech may
   *  trigger them. */
  readonly on = new Observable(stored());
  /** Whether the list of shortcuts is open. */
  readonly help = new Observable(false);

  turn = (on: boolean): void => {
    this.on.set(on);
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off');
    } catch {
      // The browser may block local storage. The choice then lasts until the page is closed.
    }
  };
}
