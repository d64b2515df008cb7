// The symbol of a host: a dot if the host is as usual, a cross if it is silent, and otherwise the
// shape of the signal family that stands out. A larger shape means a larger deviation.
import type { Family } from '../api/types';
import { SHAPES } from '../theme/Mark';

const POINT = 'M8 6a2 2 0 1 0 0 4a2 2 0 1 0 0-4z';
const CROSS = 'M4 4l8 8M12 4l-8 8';
/** Size of the shape that marks a host, as a factor: `least` at a deviation of one octave, plus
 *  `octave` for each further octave, at most `most`. A larger shape would not fit into its cell. */
const SCALE = { least: 0.7, octave: 0.08, most: 1.4 };

interface Props {
  state: 'live' | 'silent';
  /** Family of the signal that stands out; null while the host is as usual. */
  family: Family | null;
  /** How far the host is above its baseline, in octaves. */
  deviation: number;
}

export function HostMark({ state, family, deviation }: Props) {
  const scale = family === null ? 1 : Math.min(SCALE.most, SCALE.least + SCALE.octave * (deviation - 1));
  const kind = state === 'silent' ? 'silent' : family === null ? 'usual' : 'unusual';
  return (
    <svg className="host-mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" data-family={family ?? 'none'} data-kind={kind}>
      <path d={state === 'silent' ? CROSS : family === null ? POINT : SHAPES[family]} strokeLinejoin="round" strokeLinecap="round" transform={`translate(8 8) scale(${scale.toFixed(2)}) translate(-8 -8)`} />
    </svg>
  );
}
