// Tests that notes and cues have no duplicates after a reconnection, and that bars start at the
// times that the engine reports.
import { describe, expect, it } from 'vitest';
import type { Cue, Note } from '../api/types';
import { BarClock } from './bars';
import { CueLog } from './cues';
import { NoteLog } from './notes';

const note = (seq: number, ts_ms = seq * 100): Note => ({
  seq, ts_ms, midi: 60, velocity: 0.5, duration_s: 0.5, role: 'melody', layer: 'voices', channel: 1, signal: 'rx',
});
const seqs = (log: NoteLog) => log.list.map((it) => it.seq);

describe('NoteLog', () => {
  it('stores each note once', () => {
    const log = new NoteLog();
    log.add([note(1), note(2)]);
    log.add([note(2), note(3)]);
    expect(seqs(log)).toEqual([1, 2, 3]);
  });

  it('accepts notes of a restarted engine', () => {
    const log = new NoteLog();
    log.add([note(500, 50_000), note(501, 50_100)]);
    log.restart();
    log.add([note(1, 60_000), note(2, 60_100)]);
    expect(log.list.map((it) => it.ts_ms)).toEqual([50_000, 50_100, 60_000, 60_100]);
  });

  it('adds earlier notes of the history', () => {
    const log = new NoteLog();
    log.add([note(5)]);
    log.load([note(3), note(4), note(5)]);
    log.add([note(5), note(6)]);
    expect(seqs(log)).toEqual([3, 4, 5, 6]);
  });

  it('knows which signals sound', () => {
    const log = new NoteLog();
    log.add([note(10, 1000)]);
    expect([...log.lit(1400, 100)]).toEqual(['rx']);
    expect([...log.lit(1600, 100)]).toEqual([]);
    expect([...log.lit(900, 100)]).toEqual([]);
  });
});

describe('BarClock', () => {
  it('extrapolates at the current tempo', () => {
    const clock = new BarClock();
    clock.note({ bar: 4, bar_ts_ms: 10_000, step_ms: 125 });
    expect(clock.starts(9000, 14_500)).toEqual([10_000, 12_000, 14_000].map((start, i) => ({ bar: 4 + i, start })));
  });

  it('accepts a new tempo within a bar', () => {
    const clock = new BarClock();
    clock.note({ bar: 4, bar_ts_ms: 10_000, step_ms: 125 });
    clock.note({ bar: 4, bar_ts_ms: 9990, step_ms: 100 });
    expect(clock.starts(9000, 12_000)).toEqual([9990, 11_590].map((start, i) => ({ bar: 4 + i, start })));
  });

  it('starts again with a restarted engine', () => {
    const clock = new BarClock();
    clock.note({ bar: 90, bar_ts_ms: 10_000, step_ms: 125 });
    clock.note({ bar: 0, bar_ts_ms: 20_000, step_ms: 125 });
    expect(clock.starts(20_000)).toEqual([{ bar: 0, start: 20_000 }]);
  });
});

const cue = (seq: number, ts_ms = seq * 100): Cue => ({ seq, ts_ms, kind: 'crash', host: null, pid: 7, comm: 'sh', detail: 11 });
const times = (log: CueLog) => log.list.get().map((it) => it.ts_ms);

describe('CueLog', () => {
  it('keeps each cue once, newest first', () => {
    const log = new CueLog();
    log.add([cue(1), cue(2)]);
    log.add([cue(2), cue(3)]);
    expect(times(log)).toEqual([300, 200, 100]);
  });

  it('accepts cues of a restarted engine', () => {
    const log = new CueLog();
    log.add([cue(40, 100), cue(41, 200)]);
    log.restart();
    log.add([cue(1, 9000)]);
    expect(times(log)).toEqual([9000, 200, 100]);
  });

  it('keeps other cues if one host floods', () => {
    const log = new CueLog();
    const of = (seq: number, host: string): Cue => ({ ...cue(seq), host });
    log.add([of(1, 'web-1'), { ...of(2, 'web-2'), kind: 'lost' }]);
    for (let seq = 3; seq < 5000; seq += 7) log.add(Array.from({ length: 7 }, (_, i) => of(seq + i, 'evil')));
    expect(log.list.get()).toHaveLength(64);
    expect(times(log).slice(-2)).toEqual([200, 100]);
    log.add([of(9000, 'web-1')]);
    expect(log.list.get().filter(({ host }) => host === 'web-1')).toHaveLength(2);
  });
});
