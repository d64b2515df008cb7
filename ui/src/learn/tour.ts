// The guided tour: what is said while each clip plays, from the quiet machine to the busy one.
import type { Family } from '../api/types';
import type { Clip } from './clips';

export interface Stop {
  scenario: string;
  title: string;
  words: string;
  /** The layer it is about. */
  layer: 'bed' | 'pulse' | 'voices' | 'all';
  family: Family | null;
}

/** Seconds of each clip that the tour plays: nine of them make ninety. */
export const STOP_S = 10;

export const STOPS: readonly Stop[] = [
  { scenario: 'idle', title: 'A quiet machine', layer: 'bed', family: null, words: 'This is the bed: a soft chord that breathes. It says that khor is alive and that nothing has to wait. A quiet machine is a quiet piece.' },
  { scenario: 'exec-storm', title: 'Work', layer: 'pulse', family: 'process', words: 'Under work the pulse wakes: the busier the machine, the more of the sixteen steps it plays, never faster. Programs that start have a voice of their own, short and light.' },
  { scenario: 'download', title: 'Receiving', layer: 'voices', family: 'network', words: 'What stands out gets a voice. Data that comes in has one, always in the same timbre, register and place, and it plays more notes when more arrives.' },
  { scenario: 'upload', title: 'Sending', layer: 'voices', family: 'network', words: 'Data that goes out is the other half of the network: a voice of the same family in another register and on the other side.' },
  { scenario: 'disk', title: 'The disk', layer: 'voices', family: 'disk', words: 'The disk is slower and lower. Its notes get longer when requests take longer, and the bass under the bed gets heavier when programs wait for it.' },
  { scenario: 'memory-pressure', title: 'Memory runs short', layer: 'bed', family: 'memory', words: 'Programs that wait for memory put tension into the bed: its open chord closes step by step into a cluster. This is the sound to get up for.' },
  { scenario: 'retransmits', title: 'A lossy network', layer: 'voices', family: 'network', words: 'Segments that must be sent again have their own restless voice. You will hear it before anything times out.' },
  { scenario: 'compile', title: 'Too much at once', layer: 'bed', family: 'kernel', words: 'When programs wait for a processor, the bed gets darker. The pulse is full by then, so listen to the colour of the chord, not to the rhythm.' },
  { scenario: 'crash', title: 'Something happened', layer: 'all', family: null, words: 'What the kernel reports is a cue: a short motif of its own. Three quick blows and one below: a program crashed. Other motifs tell of memory that ran out or a disk that failed.' },
];

/** The stops there are clips for, in the tour's order. */
export function route(clips: readonly Clip[]): { stop: Stop; clip: Clip }[] {
  return STOPS.flatMap((stop) => {
    const clip = clips.find((it) => it.scenario === stop.scenario);
    return clip === undefined ? [] : [{ stop, clip }];
  });
}
