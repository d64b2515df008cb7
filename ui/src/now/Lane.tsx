// One signal: its mark, name, chart and rate, or the reason it is absent.
import { useStores } from '../app/stores';
import type { Signal } from '../api/types';
import { rate, rateText } from '../format/units';
import type { LaneSpec } from '../live/catalogue';
import { Mark } from '../theme/Mark';
import { LaneChart } from './LaneChart';

interface Props {
  spec: LaneSpec;
  signal: Signal | undefined;
  lit: boolean;
  /** The history point under the cursor while `reading`. */
  index: number | null;
  reading: boolean;
}

export function Lane({ spec, signal, lit, index, reading }: Props) {
  const { live } = useStores();
  const absent = signal !== undefined && !signal.available;
  const value = reading ? (index === null ? null : live.history.lane(spec.name).rates[index]) : signal?.rate;
  const unit = signal?.unit ?? '1/s';
  const figure = rate(absent ? null : value, unit);
  return (
    <div className="lane" data-signal={spec.name} data-family={spec.family} data-absent={absent} data-rate={signal?.rate ?? ''}>
      <Mark family={spec.family} lit={lit} />
      <div className="name">
        {spec.name}
        <small title={spec.label}>{spec.label}</small>
      </div>
      {absent ? (
        <div className="reason" title={signal.reason ?? undefined}>
          Absent: {signal.reason ?? 'no reason given'}
        </div>
      ) : (
        <LaneChart name={spec.name} family={spec.family} label={`${spec.name}, ${spec.label}: ${rateText(signal?.rate, unit)}`} />
      )}
      <div className="value" data-reading={reading}>
        {figure.value} <small>{figure.unit}</small>
      </div>
    </div>
  );
}
