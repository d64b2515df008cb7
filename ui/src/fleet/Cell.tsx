// One host in the field: a button that hears it alone, placed by a transform.
import { memo } from 'react';
import type { Family } from '../api/types';
import type { Density, Grid } from './grid';
import { HostMark } from './HostMark';
import { shortly } from './words';

export interface CellProps {
  name: string;
  /** How it is: shown, and said in full. */
  words: string;
  spoken: string;
  state: 'live' | 'silent';
  family: Family | null;
  /** Octaves, rounded to what can be seen. */
  deviation: number;
  hasVoices: boolean;
  isAlone: boolean;
  isOdd: boolean;
  isStop: boolean;
  density: Density;
  /** Its place in the field. */
  place: number;
  columns: number;
  width: number;
  height: number;
}

/** Where a place is, as a transform. */
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
        {/* A space, so that these are two words. */}
        {density === 'words' && ' '}
        {density === 'words' && <small>{shortly(host.words, host.hasVoices)}</small>}
        {host.isOdd && (
          <span className="odd" aria-hidden="true">
            !
          </span>
        )}
      </button>
    </li>
  );
});
