// The symbol of a signal family: a shape in the colour of the family. The shape is filled while a
// note is sounding.
import type { Family } from '../api/types';

export const SHAPES: Record<Family | 'none', string> = {
  process: 'M8 3.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6z',
  network: 'M8 2.4L13.6 8L8 13.6L2.4 8z',
  disk: 'M3.6 3.6h8.8v8.8h-8.8z',
  memory: 'M8 2.8L13.6 12.6H2.4z',
  kernel: 'M5.2 3.2h5.6L13.6 8l-2.8 4.8H5.2L2.4 8z',
  none: 'M2.6 6h10.8v4H2.6z',
};

export function Mark({ family, lit = false }: { family: Family | null; lit?: boolean }) {
  return (
    <svg className="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" data-family={family ?? 'none'} data-lit={lit}>
      <path d={SHAPES[family ?? 'none']} strokeLinejoin="round" />
    </svg>
  );
}
