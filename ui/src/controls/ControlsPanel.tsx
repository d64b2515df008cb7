// How the machine is turned into music.
import { useStores } from '../app/stores';
import { noteName, SCALES, scaleName } from '../format/music';
import { useObservable } from '../live/observable';
import { NumberSlider, Select, Slider, type Option } from './fields';

const KEYS: Option[] = Array.from({ length: 49 }, (_, i) => i + 24).map((midi) => ({ value: String(midi), text: noteName(midi) }));
const SCALE_OPTIONS: Option[] = SCALES.map((scale) => ({ value: scale, text: scaleName(scale) }));

function keyOptions(current: number | undefined): Option[] {
  if (current === undefined || KEYS.some((option) => option.value === String(current))) return KEYS;
  return [...KEYS, { value: String(current), text: noteName(current) }].sort((a, b) => Number(a.value) - Number(b.value));
}

export function ControlsPanel() {
  const { settings } = useStores();
  const { values } = useObservable(settings.state);
  const presets = useObservable(settings.presets);
  const hint = presets.find((preset) => preset.name === values?.['music.preset'])?.hint;
  return (
    <section aria-labelledby="controls-title" className="panel">
      <h2 id="controls-title">Music</h2>
      <Select
        path="music.preset"
        id="preset"
        label="Preset"
        options={presets.map(({ name }) => ({ value: name, text: name }))}
        convert={String}
        hint={hint ?? '\u00a0'}
      />
      <NumberSlider path="music.bpm" id="bpm" label="Tempo" min={20} max={300} unit="beats a minute" />
      <div className="pair">
        <Select path="music.key_midi" id="key" label="Key" options={keyOptions(values?.['music.key_midi'])} convert={Number} />
        <Select path="music.scale" id="scale" label="Scale" options={SCALE_OPTIONS} convert={String} />
      </div>
      <Slider path="music.density" id="density" label="Density" />
      <Slider path="music.smoothing" id="smoothing" label="Smoothing" />
    </section>
  );
}
