// Stores the theme (light, dark, or that of the system), and the colours for drawing on canvases.
import { Observable } from '../live/observable';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'khor.theme'; // public/theme.js also reads this, before the first paint.
/** Names of the CSS custom properties that contain the colours. */
const NAMES = ['ink', 'dim', 'line', 'strong-line', 'panel', 'bg', 'bad', 'process', 'network', 'disk', 'memory', 'kernel'] as const;

export type Palette = Record<(typeof NAMES)[number], string>;

/** Reads the current colours from a temporary element. The custom properties contain
 *  `light-dark(…)`, which the browser resolves only for an element. */
function readPalette(): Palette {
  const probe = document.createElement('i');
  document.documentElement.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color || 'rgb(128, 128, 128)';
  };
  const palette = Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Palette;
  probe.remove();
  return palette;
}

/** Returns a colour such as `rgb(1, 2, 3)` with an opacity between 0 and 1. */
export function faded(color: string, opacity: number): string {
  return color.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`);
}

export class ThemeStore {
  readonly theme: Observable<Theme>;
  readonly palette: Observable<Palette>;

  constructor() {
    const chosen = document.documentElement.dataset.theme;
    this.theme = new Observable<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : 'auto');
    this.palette = new Observable(readPalette());
  }

  start(): () => void {
    const system = matchMedia('(prefers-color-scheme: light)');
    const reread = () => this.palette.set(readPalette());
    system.addEventListener('change', reread);
    reread();
    return () => system.removeEventListener('change', reread);
  }

  choose(theme: Theme): void {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      if (theme === 'auto') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // The browser may block local storage. The choice then lasts until the page is closed.
    }
    this.theme.set(theme);
    this.palette.set(readPalette());
  }
}
