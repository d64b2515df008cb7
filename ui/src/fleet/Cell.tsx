// The cell of one host in the Fleet view: a button that makes khor play only this host.
import { memo } from 'react';
import type { Family } from '../api/types';
import type { Density, Grid } from './grid';
import { HostMark } from './HostMark';
import { cellText } from './words';

export interface CellProps {
  name: string;
  /** The words in the cell, which describe the host's state. */
  words: string;
  /** A line with all texts about the host, for screen readers. */
  spoken: string;
  state: 'live' | 'silent';
  family: Family | null;
  /** How far the host is above its baseline, in octaves, rounded to a quarter octave. */
  deviation: number;
  hasVoices: boolean;
  isAlone: boolean;
  hasProblem: boolean;
  /** Whether the cell can be reached with the Tab key. This is true for only one cell of the
   *  grid. */
  isStop: boolean;
  density: Density;
  /** Position of the cell in the grid, counted row by row. */
  place: number;
  columns: number;
  width: number;
  height: number;
}

/** Returns the CSS transform that moves a cell to a position in the grid. */
export function at(place: number, { columns, width, height }: Grid): string {
  return `translate(${(place % columns) * width}px, ${Math.floor(place / columns) * height}px)`;
}

export const Cell = memo(function Cell(host: CellProps) {
  const { name, density, columns, width, height } = host;
  return (
    <li className="host" style={{ width, height, transform: at(host.place, { columns, width, height }) }} data-density={density}>
      <button
        type="button"
        data-host={name}
        data-state={host.state}
        data-voices={host.hasVoices}
        data-unusual={host.deviation > 0}
        aria-pressed={host.isAlone}
        aria-label={host.spoken}
        title={density === 'marks' ? name : undefined}
        tabIndex={host.isStop ? 0 : -1}
      >
        <HostMark state={host.state} family={host.family} deviation={host.deviation} />
        {density !== 'marks' && <span className="name">{name}</span>}
        {/* Screen readers need the space between the name and the words. */}
        {density === 'words' && ' '}
        {density === 'words' && <small>{cellText(host.words, host.hasVoices)}</small>}
        {host.hasProblem && (
          <span className="odd" aria-hidden="true">
            !
          </span>
        )}
      </button>
    </li>
  );
});
