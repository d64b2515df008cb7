// Tests that the words of a cue contain all known details and no unknown ones.
import { describe, expect, it } from 'vitest';
import type { Cue, CueKind } from '../api/types';
import { cueText, cueWords } from './cueWords';

const cue = (kind: CueKind, more: Partial<Cue> = {}): Cue => ({ seq: 1, ts_ms: 0, kind, host: null, pid: 7, comm: 'worker', detail: null, ...more });

describe('cueWords', () => {
  it('uses the singular for 1 segment', () => expect(cueWords({ seq: 1, ts_ms: 0, kind: 'retx', host: null, pid: null, comm: null, detail: 1 }).detail).toBe('1 segment in a second'));

  it('names the program and the signal', () => {
    expect(cueText(cue('oom'))).toBe('Out of memory: the kernel killed worker.');
    expect(cueWords(cue('crash', { detail: 11 })).detail).toBe('SIGSEGV, pid 7');
    expect(cueWords(cue('crash', { detail: 64, pid: null })).detail).toBe('signal 64');
  });

  it('omits details that are unknown', () => {
    expect(cueText(cue('oom', { comm: null, pid: null }))).toBe('Out of memory: the kernel killed a program.');
    expect(cueWords(cue('retx', { comm: null, pid: null })).detail).toBe('');
  });

  it('names hosts that stop or resume sending', () => {
    const of = { host: 'web-1', comm: null, pid: null };
    expect(cueText(cue('lost', of))).toBe('Host silent: web-1.');
    expect(cueText(cue('found', of))).toBe('Host sends again: web-1.');
  });

  it('counts the segments of a burst', () => expect(cueWords(cue('retx', { detail: 37 })).detail).toBe('37 segments in a second'));
});
