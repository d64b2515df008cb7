// Describes a cue in words.
import type { Cue, Family } from '../api/types';

export interface CueWords {
  event: string;
  /** The affected program or host, which the page shows in bold after `event`; null if there is
   *  none. */
  subject: string | null;
  detail: string;
  /** The signal family of the cue; null if the cue has none. */
  family: Family | null;
}

/** Names of the Unix signals that mean a crash, by their numbers. */
const CRASH_SIGNALS: Record<number, string> = { 3: 'SIGQUIT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 11: 'SIGSEGV', 31: 'SIGSYS' };

function pidText(pid: number | null): string[] {
  return pid === null ? [] : [`pid ${pid}`];
}

export function cueWords({ kind, host, comm, pid, detail }: Cue): CueWords {
  switch (kind) {
    case 'oom':
      return { event: 'Out of memory: the kernel killed', subject: comm ?? 'a program', detail: pidText(pid).join(', '), family: null };
    case 'crash': {
      const signal = detail === null ? [] : [CRASH_SIGNALS[detail] ?? `signal ${detail}`];
      return { event: 'Crash:', subject: comm ?? 'a program', detail: [...signal, ...pidText(pid)].join(', '), family: null };
    }
    case 'blkerr':
      return { event: 'A disk request failed', subject: null, detail: comm ?? '', family: 'disk' };
    case 'retx':
      return { event: 'Burst of retransmits', subject: null, detail: detail === null ? '' : `${detail} ${detail === 1 ? 'segment' : 'segments'} in a second`, family: 'network' };
    case 'exec':
      return { event: 'Started', subject: comm ?? 'a program', detail: pidText(pid).join(', '), family: 'process' };
    case 'lost':
      return { event: 'Host silent:', subject: host ?? 'unknown', detail: '', family: null };
    case 'found':
      return { event: 'Host sends again:', subject: host ?? 'unknown', detail: '', family: null };
    default:
      return { event: kind, subject: comm, detail: pidText(pid).join(', '), family: null };
  }
}

/** Returns the cue as one sentence, for screen readers. */
export function cueText(cue: Cue): string {
  const { event, subject } = cueWords(cue);
  return subject === null ? `${event}.` : `${event} ${subject}.`;
}
