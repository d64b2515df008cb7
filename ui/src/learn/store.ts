// The clips, the one that plays, and the quiz's score, which is kept in this browser.
import { at } from '../app/base';
import { Observable } from '../live/observable';
import { fetchClips, type Clip } from './clips';
import { answered, scoreOf, NO_SCORE, type Score } from './quiz';

const KEY = 'khor.quiz';

export interface Playing {
  clip: Clip;
  /** Seconds played. */
  at: number;
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden; the score then lasts as long as the page
  }
}

/** The parts of the view that play clips. */
export type Player = 'tour' | 'quiz';

interface Options {
  by: Player;
  /** Longest time to play. */
  seconds?: number;
  /** Called when the clip ends by itself. */
  ended?: () => void;
  /** Called when another player starts a clip, or when this browser cannot play the clip. */
  interrupted?: () => void;
}

export class LearnStore {
  /** Null until it is known; empty when this engine carries none. */
  readonly clips = new Observable<readonly Clip[] | null>(null);
  readonly playing = new Observable<Playing | null>(null);
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

  /** Plays `clip`, and stops the clip that is playing. */
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
        this.error.set(`this browser cannot play ${clip.file}`);
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

  forgetScore = (): void => this.keep(NO_SCORE);

  private keep(score: Score): void {
    this.score.set(score);
    try {
      localStorage.setItem(KEY, JSON.stringify(score));
    } catch {
      // See `stored`.
    }
  }
}
