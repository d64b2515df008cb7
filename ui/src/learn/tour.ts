// The texts of the guided tour, one for each clip. The tour starts with a quiet machine.
import type { Family } from '../api/types';
import type { Clip } from './clips';

export interface Stop {
  scenario: string;
  title: string;
  words: string;
  /** The layer of the music that the text explains. */
  layer: 'bed' | 'pulse' | 'voices' | 'all';
  family: Family | null;
}

/** How long the tour plays each clip, in seconds. Nine clips take 90 seconds. */
export const STOP_S = 10;

export const STOPS: readonly Stop[] = [
  { scenario: 'idle', title: 'A quiet machine', layer: 'bed', family: null, words: 'This is the bed: a soft chord that slowly swells. It shows that khor works and that no program is waiting. A quiet machine makes quiet music.' },
  { scenario: 'exec-storm', title: 'Work', layer: 'pulse', family: 'process', words: 'Work starts the pulse. The busier the machine, the more of its sixteen steps the pulse plays. The tempo does not change. Programs that start have their own voice, which is short and light.' },
  { scenario: 'download', title: 'Receiving', layer: 'voices', family: 'network', words: 'A signal that stands out gets a voice. The voice of received data always has the same timbre, register and stereo position. More data plays more notes.' },
  { scenario: 'upload', title: 'Sending', layer: 'voices', family: 'network', words: 'Sent data has another voice of the network family. This voice plays in another register and on the other side of the stereo image.' },
  { scenario: 'disk', title: 'The disk', layer: 'voices', family: 'disk', words: 'The disk plays slow and low notes. They get longer when disk requests take longer. The bass of the bed gets heavier when programs wait for the disk.' },
  { scenario: 'memory-pressure', title: 'Memory runs short', layer: 'bed', family: 'memory', words: 'Programs that wait for memory make the bed tense: its open chord narrows, step by step, into a cluster of close notes. Act when you hear this sound.' },
  { scenario: 'retransmits', title: 'A lossy network', layer: 'voices', family: 'network', words: 'Network segments that are sent again have a restless voice of their own. You hear this voice before connections time out.' },
  { scenario: 'compile', title: 'Too much at once', layer: 'bed', family: 'kernel', words: 'The bed gets darker when programs wait for a processor. The pulse already plays all its steps, so listen to the colour of the chord, not to the rhythm.' },
  { scenario: 'crash', title: 'A crash', layer: 'all', family: null, words: 'Each kind of event that the kernel reports has a cue, a short motif. Three quick notes and a lower one mean that a program crashed. Other motifs mean that memory ran out, or that a disk request failed.' },
];

/** Returns the stops of the tour that have a clip, in the order of the tour. */
export function route(clips: readonly Clip[]): { stop: Stop; clip: Clip }[] {
  return STOPS.flatMap((stop) => {
    const clip = clips.find((it) => it.scenario === stop.scenario);
    return clip === undefined ? [] : [{ stop, clip }];
  });
}
