// Builds the engine's state from the events of the stream, in the same way as `StreamState` in
// khor-api.
import type { Bar, Controls, Greeting, Lane, LaneValues, Signal, StreamEvent } from '../api/types';

/** The engine's state except notes, cues and health, which have their own stores. */
export interface StreamState {
  greeting: Greeting | null;
  controls: Controls | null;
  lanes: readonly Lane[];
  values: LaneValues | null;
  bar: Bar | null;
}

export const UNKNOWN: StreamState = { greeting: null, controls: null, lanes: [], values: null, bar: null };

/** Returns the state after an event. Events about notes, cues and health do not change the
 *  state. */
export function applied(state: StreamState, event: StreamEvent): StreamState {
  switch (event.type) {
    case 'greeting':
      // After a greeting, the engine sends its whole state again.
      return { ...UNKNOWN, greeting: event };
    case 'controls':
      return { ...state, controls: event };
    case 'lanes':
      // Drop the current values, because they belong to the previous list of lanes.
      return { ...state, lanes: event.lanes, values: null };
    case 'values':
      return event.rate.length === state.lanes.length ? { ...state, values: event } : state;
    case 'bar':
      return { ...state, bar: event };
    default:
      return state;
  }
}

/** A signal with its grain, which is the rate that is one octave above zero on the charts. */
export type LaneSignal = Signal & Pick<Lane, 'grain'>;

/** The engine's values at one point in time, in the form in which the page shows them. */
export interface Moment {
  ts_ms: number;
  controls: Controls;
  /** The signals by name, in the engine's order. */
  signals: Record<string, LaneSignal>;
  /** Number of the current bar; null until the music has started. */
  bar: number | null;
  /** Bytes per second that are read from disks (`read`) and written to disks (`written`); null if
   *  unknown. */
  read: number | null;
  written: number | null;
}

/** Returns the current values, or null until controls and values have arrived. */
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
