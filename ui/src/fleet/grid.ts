// Where the cells of the field are, and which one an arrow key leads to. Cells are placed by transforms, so that moving one moves nothing else.

/** How much a cell shows: name and words, the name, or only a mark. */
export type Density = 'words' | 'names' | 'marks';

const HEIGHTS: Record<Density, number> = { words: 60, names: 34, marks: 28 };
/** Pixels of a cell around its name, and of a letter; of a name that is longer than so many letters the rest is cut off. */
const AROUND = 46;
const LETTER = 7.6;
const MOST_LETTERS = 26;

/** Across, pixels. */
function widths(density: Density, longest: number): { least: number; most: number } {
  if (density === 'marks') return { least: 28, most: 28 };
  const named = Math.ceil(AROUND + LETTER * Math.min(longest, MOST_LETTERS));
  return density === 'names' ? { least: named, most: named + 40 } : { least: Math.max(216, named + 24), most: Infinity };
}

/** More hosts than this are too many words. */
const MOST_WORDS = 24;
/** What is one look: higher than this, cells show less. Pixels. */
const ONE_LOOK = 900;

/** Of hosts whose longest name has so many letters. */
export function densityOf(hosts: number, longest: number, room: number): Density {
  const fits = (density: Density) => {
    const grid = gridOf(density, longest, room);
    return rows(grid, hosts) * grid.height <= ONE_LOOK;
  };
  if (hosts <= MOST_WORDS && fits('words')) return 'words';
  return fits('names') ? 'names' : 'marks';
}

export interface Grid {
  columns: number;
  /** Pixels. */
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

/** From cell `at` of the fields one below the other, each with so many `cells`; it stays where there is nothing further. */
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

/** Rows of all fields in turn: where each begins, and how many cells it has. */
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
