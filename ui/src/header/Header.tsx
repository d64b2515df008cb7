// The header of every view: links to the views, a summary of the music, volume, mute and snooze.
import { KeysButton } from '../app/Keys';
import { Nav } from '../app/Nav';
import { useStores } from '../app/context';
import { Slider } from '../controls/fields';
import { summary } from '../format/music';
import { useObservable } from '../live/useObservable';
import type { Theme } from '../theme/store';
import { Snooze } from './Snooze';
import './header.css';

const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
const ICONS: Record<Theme, string> = {
  auto: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 2a6 6 0 1 0 0 12z',
  light: 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6L13 13M13 3l-1.4 1.4M4.4 11.6L3 13',
  dark: 'M13.5 9.6A6 6 0 1 1 6.4 2.5a4.8 4.8 0 0 0 7.1 7.1z',
};
const THEME_WORDS: Record<Theme, string> = { auto: 'as the system', light: 'light', dark: 'dark' };

function ThemeButton() {
  const { theme } = useStores();
  const current = useObservable(theme.theme);
  const words = `Theme: ${THEME_WORDS[current]}. Change to ${THEME_WORDS[NEXT[current]]}.`;
  return (
    <button type="button" className="icon" id="theme" aria-label={words} title={words} onClick={() => theme.choose(NEXT[current])}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" data-theme-icon={current}>
        <path d={ICONS[current]} strokeLinecap="round" />
      </svg>
    </button>
  );
}

function MuteButton() {
  const { settings } = useStores();
  const { values, errors } = useObservable(settings.state);
  const muted = values?.muted ?? false;
  return (
    <div className="mute">
      <button type="button" id="mute" aria-pressed={muted} disabled={values === null} onClick={() => settings.edit('muted', !muted, 0)}>
        {muted ? 'Muted' : 'Mute'}
      </button>
      {errors.muted !== undefined && <span role="alert">{errors.muted}</span>}
    </div>
  );
}

function Playing() {
  const { settings } = useStores();
  const { values } = useObservable(settings.state);
  const previewing = useObservable(settings.previewing);
  if (values === null) return <div className="playing" />;
  const words = summary({ preset: values['music.preset'], key_midi: values['music.key_midi'], scale: values['music.scale'], bpm: values['music.bpm'] });
  const text = previewing === null ? words : `${words} · preview`;
  return (
    <div className="playing" title={text}>
      {text}
    </div>
  );
}

export function Header() {
  return (
    <header>
      <div className="logo" aria-label="khor" role="img">
        kh<i>o</i>r
      </div>
      <Nav />
      <Playing />
      <Slider path="audio.master_gain" id="header-gain" label="Volume" compact />
      <div className="quick">
        <MuteButton />
        <Snooze />
        <ThemeButton />
        <KeysButton />
      </div>
    </header>
  );
}
