// Fetches and plays the clips, and stores the quiz score in this browser.
import { at } from '../app/base';
import { Observable } from '../live/observable';
import { fetchClips, type Clip } from './clips';
import { answered, scoreOf, NO_SCORE, type Score } from './quiz';

const KEY = 'khor.quiz';

export interface Playing {
  clip: Clip;
  /** Current position in the clip, in seconds. */
  at: number;
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // The browser may forbid storage. The score then lasts until the page is closed.
  }
}

/** Names the part of the Learn view that plays a clip: the tour or the quiz. */
export type Player = 'tour' | 'quiz';

interface Options {
  by: Player;
  /** Maximum time for which the clip plays, in seconds. */
  seconds?: number;
  /** Called when the clip has ended, or after it has played for the time `seconds`. */
  ended?: () => void;
  /** Called when the clip stops because another one starts, or when this browser cannot play it. */
  interrupted?: () => void;
}

export class LearnStore {
  /** The clips of the engine: null until the engine has answered, empty if it has no clips. */
  readonly clips = new Observable<readonly Clip[] | null>(null);
  readonly playing = new Observable<Playing | null>(null);
  /** Why the last clip could not be played; null if it could. */
  readonly error = new Observable<string | null>(null);
  readonly score = new Observable<Score>(scoreOf(stored()));
  private audio: HTMLAudioElement | null = null;
  private options: Options | null = null;

  load = async (): Promise<void> => {
    try {
      this.clips.set(await fetchClips());
    } catch {
      this.clips.set([]);
    }
  };

  /** Plays `clip`. Stops the clip that is already playing. */
  play = (clip: Clip, options: Options): void => {
    const before = this.options;
    this.stop();
    if (before !== null && before.by !== options.by) before.interrupted?.();
    const { seconds = Infinity } = options;
    const audio = new Audio(at(clip.file));
    this.audio = audio;
    this.options = options;
    this.playing.set({ clip, at: 0 });
    const finish = () => {
      if (audio !== this.audio) return;
      this.stop();
      options.ended?.();
    };
    audio.ontimeupdate = () => {
      if (audio !== this.audio) return;
      this.playing.set({ clip, at: audio.currentTime });
      if (audio.currentTime >= seconds) finish();
    };
    audio.onended = finish;
    audio.play().then(
      () => this.error.set(null),
      () => {
        if (audio !== this.audio) return;
        this.stop();
        options.interrupted?.();
        this.error.set(`this browser cannot play ${clip.file}; try another browser`);
      },
    );
  };

  stop = (): void => {
    this.audio?.pause();
    this.audio = null;
    this.options = null;
    this.playing.set(null);
  };

  answer = (scenario: string, right: boolean): void => this.keep(answered(this.score.get(), scenario, right));

  resetScore = (): void => this.keep(NO_SCORE);

  private keep(score: Score): void {
    this.score.set(score);
    try {
      localStorage.setItem(KEY, JSON.stringify(score));
    } catch {
      // The browser may block local storage. The score then lasts until the page is closed.
    }
  }
}
