// The engine's state, built from the events of the stream. `StreamState` in khor-api does the same.
import type { Bar, Controls, Greeting, Lane, LaneValues, Signal, StreamEvent } from '../api/types';

/** The part of the state that has no store of its own. Notes, cues and health have stores. */
export interface StreamState {
  greeting: Greeting | null;
  controls: Controls | null;
  lanes: readonly Lane[];
  values: LaneValues | null;
  bar: Bar | null;
}

export const UNKNOWN: StreamState = { greeting: null, controls: null, lanes: [], values: null, bar: null };

/** The state after an event. Events for other stores do not change it. */
export function applied(state: StreamState, event: StreamEvent): StreamState {
  switch (event.type) {
    case 'greeting':
      // A greeting replaces everything.
      return { ...UNKNOWN, greeting: event };
    case 'controls':
      return { ...state, controls: event };
    case 'lanes':
      // The old values belong to other lanes.
      return { ...state, lanes: event.lanes, values: null };
    case 'values':
      return event.rate.length === state.lanes.length ? { ...state, values: event } : state;
    case 'bar':
      return { ...state, bar: event };
    default:
      return state;
  }
}

/** A signal, and the scale on which it is drawn. */
export type LaneSignal = Signal & Pick<Lane, 'grain'>;

/** The values at one moment that the page shows. */
export interface Moment {
  ts_ms: number;
  controls: Controls;
  /** By name, in the engine's order. */
  signals: Record<string, LaneSignal>;
  /** Null until the music has begun. */
  bar: number | null;
  /** Bytes per second from and to disks; null if unknown. */
  read: number | null;
  written: number | null;
}

/** The current moment; null until controls and values have arrived after a greeting. */
export function momentOf({ controls, lanes, values, bar }: StreamState): Moment | null {
  if (controls === null || values === null) return null;
  const of = (list: readonly (number | null)[], i: number) => list[i] ?? null;
  const signal = (lane: Lane, i: number): LaneSignal => ({
    ...lane,
    level: of(values.level, i),
    deviation: of(values.deviation, i),
    surprise: of(values.surprise, i),
    rate: of(values.rate, i),
    baseline: of(values.baseline, i),
  });
  return {
    ts_ms: values.ts_ms,
    controls,
    signals: Object.fromEntries(lanes.map((lane, i) => [lane.name, signal(lane, i)])),
    bar: bar?.bar ?? null,
    read: values.disk_read_bytes_s,
    written: values.disk_written_bytes_s,
  };
}
