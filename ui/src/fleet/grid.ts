// Computes the size of the cells in the grid of hosts, and finds the cell to which an arrow key
// moves the focus.

/** What the cell of a host shows: a mark, the host's name and words (`words`), a mark and the name
 *  (`names`), or only a mark (`marks`). */
export type Density = 'words' | 'names' | 'marks';

/** Height of a host's cell, in pixels. It depends on what the cell shows. */
const HEIGHTS: Record<Density, number> = { words: 60, names: 34, marks: 28 };
/** Width of everything in a cell except the host's name, in pixels: symbol and padding. */
const AROUND = 46;
/** Estimated mean width of one letter in a host's name, in pixels. */
const LETTER = 7.6;
/** Maximum number of letters of a host's name that a cell shows. Longer names are cut off. */
const MOST_LETTERS = 26;

/** Returns the minimum and maximum width of a cell, in pixels. `longest` is the length of the
 *  longest host name, in letters. */
function widths(density: Density, longest: number): { least: number; most: number } {
  if (density === 'marks') return { least: 28, most: 28 };
  const named = Math.ceil(AROUND + LETTER * Math.min(longest, MOST_LETTERS));
  return density === 'names' ? { least: named, most: named + 40 } : { least: Math.max(216, named + 24), most: Infinity };
}

/** The cells show words only if the site has at most this many hosts. */
const MOST_WORDS = 24;
/** Maximum height of the grid, in pixels, so that the user sees all hosts without scrolling. */
const MOST_HEIGHT = 900;

/** Chooses how much the cells show, so that the whole grid fits. `longest` is the length of the
 *  longest host name, in letters. `room` is the available width, in pixels. */
export function densityOf(hosts: number, longest: number, room: number): Density {
  const fits = (density: Density) => {
    const grid = gridOf(density, longest, room);
    return rows(grid, hosts) * grid.height <= MOST_HEIGHT;
  };
  if (hosts <= MOST_WORDS && fits('words')) return 'words';
  return fits('names') ? 'names' : 'marks';
}

export interface Grid {
  columns: number;
  /** Width and height of a cell, in pixels. */
  width: number;
  height: number;
}

export function gridOf(density: Density, longest: number, room: number): Grid {
  const { least, most } = widths(density, longest);
  const columns = Math.max(1, Math.floor(room / least));
  return { columns, width: Math.min(most, Math.floor(Math.max(room, 1) / columns)), height: HEIGHTS[density] };
}

export function rows({ columns }: Grid, cells: number): number {
  return Math.ceil(cells / columns);
}

const KEYS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'] as const;
export type Key = (typeof KEYS)[number];

export function isKey(key: string): key is Key {
  return (KEYS as readonly string[]).includes(key);
}

/** Returns the index of the cell to which `key` moves the focus from cell `at`, or `at` if there is
 *  no cell in this direction. `cells` contains the number of cells of each section. The sections
 *  are below one another. */
export function step(cells: readonly number[], columns: number, at: number, key: Key): number {
  const all = cells.reduce((sum, count) => sum + count, 0);
  if (all === 0) return 0;
  const clamp = (to: number) => Math.min(all - 1, Math.max(0, to));
  switch (key) {
    case 'ArrowLeft':
      return clamp(at - 1);
    case 'ArrowRight':
      return clamp(at + 1);
    case 'Home':
      return 0;
    case 'End':
      return all - 1;
    case 'ArrowUp':
      return vertical(cells, columns, at, -1);
    case 'ArrowDown':
      return vertical(cells, columns, at, 1);
  }
}

/** Returns the rows of the grid, section by section. A row consists of the index of its first cell
 *  (`from`) and its number of cells (`count`). */
function allRows(cells: readonly number[], columns: number): { from: number; count: number }[] {
  const found: { from: number; count: number }[] = [];
  let from = 0;
  for (const count of cells) {
    for (let done = 0; done < count; done += columns) found.push({ from: from + done, count: Math.min(columns, count - done) });
    from += count;
  }
  return found;
}

function vertical(cells: readonly number[], columns: number, at: number, by: 1 | -1): number {
  const lines = allRows(cells, columns);
  const line = lines.findIndex(({ from, count }) => at >= from && at < from + count);
  const [here, there] = [lines[line], lines[line + by]];
  if (here === undefined || there === undefined) return at;
  return there.from + Math.min(at - here.from, there.count - 1);
}
