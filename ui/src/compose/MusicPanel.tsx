// The musical settings that apply to every preset.
import { useStores } from '../app/context';
import { CHOICES } from '../api/ranges';
import { noteName, scaleName } from '../format/music';
import { useObservable } from '../live/useObservable';
import { NumberSlider, Select, Slider, type Option } from '../controls/fields';

const KEYS: Option[] = Array.from({ length: 49 }, (_, i) => i + 24).map((midi) => ({ value: String(midi), text: noteName(midi) }));
const SCALE_OPTIONS: Option[] = CHOICES['music.scale'].map((scale) => ({ value: scale, text: scaleName(scale) }));

function keyOptions(current: number | undefined): Option[] {
  if (current === undefined || KEYS.some((option) => option.value === String(current))) return KEYS;
  return [...KEYS, { value: String(current), text: noteName(current) }].sort((a, b) => Number(a.value) - Number(b.value));
}

export function MusicPanel() {
  const { values } = useObservable(useStores().settings.state);
  return (
    <section aria-labelledby="music-title" className="card music">
      <h2 id="music-title">Music</h2>
      <NumberSlider path="music.bpm" id="bpm" label="Tempo" unit="beats a minute" />
      <div className="pair">
        <Select path="music.key_midi" id="key" label="Key" options={keyOptions(values?.['music.key_midi'])} convert={Number} />
        <Select path="music.scale" id="scale" label="Scale" options={SCALE_OPTIONS} convert={String} />
      </div>
      <Slider path="music.density" id="density" label="Density" hint="How many notes the music plays for the same activity" />
      <Slider path="music.smoothing" id="smoothing" label="Smoothing" hint="How slowly the music follows changes" />
    </section>
  );
}
