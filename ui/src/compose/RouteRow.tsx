// One route of the mapping: its input fields, a picture of its curve, and its problems.
import type { ReactNode } from 'react';
import { useStores } from '../app/context';
import type { MappingFeature, Range, Route, Vocabulary } from '../api/types';
import { CATALOGUE } from '../live/catalogue';
import { Mark } from '../theme/Mark';
import { withoutRoute, withRoute } from './draft';
import { NumberInput } from './NumberInput';
import { shapePath } from './shape';

/** The default input range of a route, for each value of a signal that a route can use: the level,
 *  the deviation or the surprise. */
const USUAL: Record<Route['of'], Range> = { level: [0, 1], deviation: [1, 6], surprise: [0, 1] };
const DIRECTIONS: Record<Route['polarity'], string> = { up: 'rising', down: 'falling' };

interface PickProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onPick: (value: string) => void;
  name: string;
}

function Pick({ label, value, options, onPick, name }: PickProps) {
  const known = options.some(([it]) => it === value);
  return (
    <select aria-label={label} name={name} value={value} onChange={(event) => onPick(event.target.value)}>
      {(known ? options : [...options, [value, value] as const]).map(([it, text]) => (
        <option key={it} value={it}>
          {text}
        </option>
      ))}
    </select>
  );
}

function Pair({ label, name, value, usual, onChange }: { label: string; name: string; value: Range | null; usual: Range; onChange: (range: Range | null) => void }) {
  const [low, high] = value ?? [null, null];
  const set = (at: 0 | 1, next: number | null) => {
    if (next === null) onChange(null);
    else onChange(at === 0 ? [next, high ?? usual[1]] : [low ?? usual[0], next]);
  };
  return (
    <div className="range" role="group" aria-label={label}>
      <NumberInput label={`${label}, low`} name={`${name}-low`} value={low} placeholder={usual[0]} onChange={(next) => set(0, next)} />
      <span aria-hidden="true">–</span>
      <NumberInput label={`${label}, high`} name={`${name}-high`} value={high} placeholder={usual[1]} onChange={(next) => set(1, next)} />
    </div>
  );
}

function Shape({ route, children }: { route: Route; children?: ReactNode }) {
  return (
    <svg className="shape" viewBox="0 0 36 22" width="36" height="22" aria-hidden="true">
      <path d={shapePath(route.curve, route.polarity, 36, 22)} />
      {children}
    </svg>
  );
}

interface Props {
  index: number;
  route: Route;
  vocabulary: Vocabulary;
  problems: readonly string[];
}

export function RouteRow({ index, route, vocabulary, problems }: Props) {
  const { editor } = useStores();
  const set = (part: Partial<Route>, about: string) => editor.edit((file) => withRoute(file, index, part), `map[${index}].${about}`);
  const feature: MappingFeature | undefined = vocabulary.features.find((it) => it.name === route.to);
  const input = vocabulary.inputs.find((it) => it.name === route.signal);
  const family = input?.family ?? CATALOGUE.find((it) => it.name === route.signal)?.family ?? null;
  const row = `Route ${index + 1}`;
  const inputs = vocabulary.inputs.map(({ name, label }) => [name, !label || label === name ? name : `${name}: ${label}`] as const);
  return (
    <li className="route" data-family={family ?? 'none'} data-route={index} data-bad={problems.length > 0} aria-label={`${row}: ${route.signal} controls ${route.to}`}>
      <Mark family={family} lit />
      <Pick label={`${row}, signal`} name="signal" value={route.signal} options={inputs} onPick={(signal) => set({ signal }, 'signal')} />
      <Pick label={`${row}, value`} name="of" value={route.of} options={vocabulary.of.map((it) => [it, it])} onPick={(of) => set({ of: of as Route['of'] }, 'of')} />
      <Pair label={`${row}, input range`} name="from" value={route.from ?? null} usual={USUAL[route.of]} onChange={(from) => set({ from }, 'from')} />
      <Shape route={route} />
      <Pick label={`${row}, feature`} name="to" value={route.to} options={vocabulary.features.map((it) => [it.name, it.name])} onPick={(to) => set({ to }, 'to')} />
      <Pair label={`${row}, output range`} name="range" value={route.range} usual={[feature?.low ?? 0, feature?.high ?? 1]} onChange={(range) => range !== null && set({ range }, 'range')} />
      <Pick label={`${row}, curve`} name="curve" value={route.curve} options={vocabulary.curves.map((it) => [it, it])} onPick={(curve) => set({ curve: curve as Route['curve'] }, 'curve')} />
      <Pick label={`${row}, direction`} name="polarity" value={route.polarity} options={vocabulary.polarities.map((it) => [it, DIRECTIONS[it]])} onPick={(polarity) => set({ polarity: polarity as Route['polarity'] }, 'polarity')} />
      <button type="button" className="quiet" aria-label={`Remove route ${index + 1}`} title="Remove" onClick={() => editor.edit((file) => withoutRoute(file, index))}>
        ✕
      </button>
      <small className="meaning">{feature === undefined ? '' : `${feature.meaning}, ${feature.low} to ${feature.high} ${feature.unit}`}</small>
      <div className="refusal" role="status">
        {problems.join('; ')}
      </div>
    </li>
  );
}
