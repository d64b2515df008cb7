// One lane in the Now view: symbol, name, chart, level, rate and deviation. An unavailable lane
// shows the reason instead of its chart.
import type { CSSProperties } from 'react';
import { useStores } from '../app/context';
import type { Signal } from '../api/types';
import { factor, isNothing, rate, rateText } from '../format/units';
import { octaves, type LaneSpec } from '../live/catalogue';
import { Mark } from '../theme/Mark';

/** A lane shows its deviation in bold and in colour if it is at least this many octaves. One octave
 *  above the baseline is twice the baseline. */
const HOT = 1;

interface Props {
  spec: LaneSpec;
  signal: Signal | undefined;
  /** Whether a note that the lane's signal controls is sounding. */
  lit: boolean;
  /** Index of the history point under the cursor; null if there is no such point. */
  index: number | null;
  /** Whether the user has placed the cursor on the charts. The lanes then show the values at the
   *  cursor instead of the current values. */
  reading: boolean;
}

/** Returns the rate and the deviation that a lane shows: the current values, or the values at the
 *  cursor. The deviation at the cursor is computed with the current baseline, because past
 *  baselines are unknown. */
function shown({ spec, signal, index, reading }: Props, rates: readonly (number | null)[]) {
  if (!reading) return { value: signal?.rate ?? null, deviation: signal?.deviation ?? null };
  const value = index === null ? null : (rates[index] ?? null);
  const baseline = signal?.baseline ?? null;
  const { grain } = spec;
  return { value, deviation: value === null || baseline === null ? null : octaves(value, grain) - octaves(baseline, grain) };
}

export function Lane(props: Props) {
  const { spec, signal, lit, reading } = props;
  const { live } = useStores();
  const unavailable = signal !== undefined && !signal.available;
  const unit = signal?.unit ?? '1/s';
  const { value, deviation } = shown(props, live.history.lane(spec.name).rates);
  const figure = rate(unavailable ? null : value, unit);
  const level = signal?.level ?? 0;
  const hot = (deviation ?? 0) >= HOT;
  const isNew = hot && isNothing(signal?.baseline, unit);
  const compared = isNew ? 'usually nothing' : `${factor(signal?.deviation)} the baseline`;
  const label = `${spec.name}, ${spec.label}: ${rateText(signal?.rate, unit)}, ${compared}, level ${Math.round(level * 100)} %`;
  return (
    <div className="lane" data-signal={spec.name} data-family={spec.family} data-absent={unavailable} data-rate={signal?.rate ?? ''}>
      <Mark family={spec.family} lit={lit} />
      <div className="name">
        {spec.name}
        <small title={spec.label}>{spec.label}</small>
      </div>
      {unavailable ? (
        <div className="reason" title={signal.reason ?? undefined}>
          Unavailable: {signal.reason ?? 'no reason given'}
        </div>
      ) : (
        <div role="img" aria-label={label} />
      )}
      <div className="level" aria-hidden="true" title={`level ${Math.round(level * 100)} %`} style={{ '--level': unavailable ? 0 : level } as CSSProperties} />
      <div className="value" data-reading={reading}>
        {figure.value} <small>{figure.unit}</small>
      </div>
      <div className="deviation" data-hot={hot} title={isNew ? 'usually nothing' : undefined}>
        {unavailable ? '' : isNew ? 'new' : factor(deviation)}
      </div>
    </div>
  );
}
