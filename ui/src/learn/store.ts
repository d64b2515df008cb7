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

export class LearnStore {
  /** Null until it is known; empty when this engine carries none. */
  readonly clips = new Observable<readonly Clip[] | null>(null);
  readonly playing = new Observable<Playing | null>(null);
  readonly error = new Observable<string | null>(null);
  readonly score = new Observable<Score>(scoreOf(stored()));
  private audio: HTMLAudioElement | null = null;

  load = async (): Promise<void> => {
    try {
      this.clips.set(await fetchClips());
    } catch {
      this.clips.set([]);
    }
  };

  /** Plays `clip` for at most `seconds`; `ended` is called when it ends by itself. */
  play = (clip: Clip, seconds = Infinity, ended: () => void = () => undefined): void => {
    this.stop();
    const audio = new Audio(at(clip.file));
    this.audio = audio;
    this.playing.set({ clip, at: 0 });
    const finish = () => {
      if (audio !== this.audio) return;
      this.stop();
      ended();
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
        this.error.set(`this browser cannot play ${clip.file}`);
      },
    );
  };

  stop = (): void => {
    this.audio?.pause();
    this.audio = null;
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
