// Describes a cue in words.
import type { Cue, Family } from '../api/types';

export interface CueWords {
  what: string;
  /** The affected program or host, displayed in bold after `what`; null if there is none. */
  who: string | null;
  detail: string;
  /** The signal family of the cue; null if it has none. */
  family: Family | null;
}

/** Unix signals that a crash reports. */
const KILLERS: Record<number, string> = { 3: 'SIGQUIT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 11: 'SIGSEGV', 31: 'SIGSYS' };

function pidText(pid: number | null): string[] {
  return pid === null ? [] : [`pid ${pid}`];
}

export function cueWords({ kind, host, comm, pid, detail }: Cue): CueWords {
  switch (kind) {
    case 'oom':
      return { what: 'Out of memory: killed', who: comm ?? 'a program', detail: pidText(pid).join(', '), family: null };
    case 'crash': {
      const signal = detail === null ? [] : [KILLERS[detail] ?? `signal ${detail}`];
      return { what: 'Crash:', who: comm ?? 'a program', detail: [...signal, ...pidText(pid)].join(', '), family: null };
    }
    case 'blkerr':
      return { what: 'A disk request failed', who: null, detail: comm ?? '', family: 'disk' };
    case 'retx':
      return { what: 'Burst of retransmits', who: null, detail: detail === null ? '' : `${detail} ${detail === 1 ? 'segment' : 'segments'} in a second`, family: 'network' };
    case 'exec':
      return { what: 'Started', who: comm ?? 'a program', detail: pidText(pid).join(', '), family: 'process' };
    case 'lost':
      return { what: 'Host silent:', who: host ?? 'a host', detail: '', family: null };
    case 'found':
      return { what: 'Host sends again:', who: host ?? 'a host', detail: '', family: null };
    default:
      return { what: kind, who: comm, detail: pidText(pid).join(', '), family: null };
  }
}

export function cueText(cue: Cue): string {
  const { what, who } = cueWords(cue);
  return who === null ? `${what}.` : `${what} ${who}.`;
}
