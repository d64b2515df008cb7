// Input fields with labels. Each field shows a setting, sends edits to the engine, and shows the
// errors of the setting.
import { useState, type ChangeEvent, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react';
import { RANGES } from '../api/ranges';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import type { Path, Settings } from './settings';
import './controls.css';

type PathsOf<T> = { [P in Path]: Settings[P] extends T ? P : never }[Path];

function Refusal({ path, id }: { path: Path; id: string }) {
  const error = useObservable(useStores().settings.state).errors[path];
  return (
    <div role="alert" className="refusal" id={`${id}-error`} hidden={error === undefined}>
      {error}
    </div>
  );
}

interface FieldProps<P extends Path> {
  path: P;
  id: string;
  label: string;
}

function useSetting<P extends Path>(path: P, id: string) {
  const { settings } = useStores();
  const { values, errors } = useObservable(settings.state);
  const invalid = errors[path] !== undefined;
  return {
    value: values?.[path],
    edit: settings.edit,
    aria: { 'aria-invalid': invalid, ...(invalid && { 'aria-describedby': `${id}-error` }) },
  };
}

/** A slider for a setting between 0 and 1, shown as a percentage. `compact` hides the label, as in
 *  the header of the page. */
export function Slider({ path, id, label, compact = false, hint }: FieldProps<PathsOf<number>> & { compact?: boolean; hint?: string }) {
  const { value, edit, aria } = useSetting(path, id);
  const percent = Math.round((value ?? 0) * 100);
  const input = (
    <input
      type="range"
      id={id}
      min={0}
      max={100}
      value={percent}
      disabled={value === undefined}
      style={{ '--at': `${percent}%` } as CSSProperties}
      aria-valuetext={`${percent} %`}
      {...(compact && { 'aria-label': label, title: `${label}: ${percent} %` })}
      {...aria}
      onChange={(event) => edit(path, Number(event.target.value) / 100)}
    />
  );
  if (compact) return <div className="slider compact">{input}</div>;
  return (
    <div className="field slider">
      <label htmlFor={id}>{label}</label>
      {input}
      <output htmlFor={id}>{value === undefined ? '–' : `${percent} %`}</output>
      {hint !== undefined && <small>{hint}</small>}
      <Refusal path={path} id={id} />
    </div>
  );
}

/** A slider and a text field for the same number. The engine checks numbers that the user types. */
export function NumberSlider({ path, id, label, unit }: FieldProps<PathsOf<number> & keyof typeof RANGES> & { unit: string }) {
  const { value, edit, aria } = useSetting(path, id);
  const { min, max } = RANGES[path];
  const [draft, setDraft] = useState<string | null>(null);
  const at = (((value ?? min) - min) / (max - min)) * 100;
  const commit = () => {
    if (draft !== null && draft.trim() !== '' && Number.isFinite(Number(draft))) edit(path, Number(draft), 0);
    setDraft(null);
  };
  return (
    <div className="field slider">
      <label htmlFor={id}>{label}</label>
      <input
        type="range"
        aria-label={`${label}, slider`}
        min={min}
        max={max}
        value={Math.round(value ?? min)}
        disabled={value === undefined}
        style={{ '--at': `${Math.max(0, Math.min(100, at))}%` } as CSSProperties}
        aria-valuetext={`${Math.round(value ?? min)} ${unit}`}
        onChange={(event) => edit(path, Number(event.target.value))}
      />
      <input
        type="number"
        id={id}
        value={draft ?? (value === undefined ? '' : Math.round(value * 10) / 10)}
        disabled={value === undefined}
        {...aria}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
          if (event.key === 'Escape') setDraft(null);
        }}
      />
      <Refusal path={path} id={id} />
    </div>
  );
}

export interface Option {
  value: string;
  text: string;
}

/** A drop-down list of options. `convert` converts the value of an option to the type of the
 *  setting. */
export function Select<P extends PathsOf<string | number>>({
  path,
  id,
  label,
  options,
  convert,
  hint,
  onFocus,
}: FieldProps<P> & { options: Option[]; convert: (value: string) => Settings[P]; hint?: ReactNode; onFocus?: () => void }) {
  const { value, edit, aria } = useSetting(path, id);
  const current = value === undefined ? '' : String(value);
  const listed = value === undefined || options.some((option) => option.value === current) ? options : [...options, { value: current, text: current }];
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={current}
        disabled={value === undefined}
        {...aria}
        onFocus={onFocus}
        onChange={(event) => edit(path, convert(event.target.value), 0)}
      >
        {listed.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
      {hint !== undefined && <small>{hint}</small>}
      <Refusal path={path} id={id} />
    </div>
  );
}

export function Switch({ path, id, label }: FieldProps<PathsOf<boolean>>) {
  const { value, edit, aria } = useSetting(path, id);
  return (
    <div className="field switch">
      <label htmlFor={id}>{label}</label>
      <input type="checkbox" role="switch" id={id} checked={value ?? false} disabled={value === undefined} {...aria} onChange={(event) => edit(path, event.target.checked, 0)} />
      <span aria-hidden="true">{value === undefined ? '–' : value ? 'on' : 'off'}</span>
      <Refusal path={path} id={id} />
    </div>
  );
}

/** Holds the text that the user types into a field. Calls `commit` with the text when the user
 *  presses Enter or leaves the field. */
function useDraft(shown: string, commit: (text: string) => void) {
  const [draft, setDraft] = useState<string | null>(null);
  const done = () => {
    if (draft !== null && draft !== shown) commit(draft);
    setDraft(null);
  };
  return {
    value: draft ?? shown,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setDraft(event.target.value),
    onBlur: done,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Enter' && !(event.target instanceof HTMLTextAreaElement)) done();
      if (event.key === 'Escape') setDraft(null);
    },
  };
}

/** A text field for a setting. `list` is the id of a `datalist` with suggestions. */
export function Text({ path, id, label, list, type = 'text' }: FieldProps<PathsOf<string>> & { list?: string; type?: 'text' | 'time' }) {
  const { value, edit, aria } = useSetting(path, id);
  const draft = useDraft(value ?? '', (text) => edit(path, text.trim(), 0));
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input type={type} id={id} list={list} disabled={value === undefined} spellCheck={false} autoComplete="off" {...aria} {...draft} />
      <Refusal path={path} id={id} />
    </div>
  );
}

export function NumberField({ path, id, label }: FieldProps<PathsOf<number> & keyof typeof RANGES>) {
  const { value, edit, aria } = useSetting(path, id);
  const draft = useDraft(value === undefined ? '' : String(value), (text) => {
    if (text.trim() !== '' && Number.isFinite(Number(text))) edit(path, Number(text), 0);
  });
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input type="number" id={id} {...RANGES[path]} disabled={value === undefined} {...aria} {...draft} />
      <Refusal path={path} id={id} />
    </div>
  );
}

/** A text area for a setting that is a list, with one entry on each line. */
export function Lines({ path, id, label, hint, rows }: FieldProps<PathsOf<readonly string[]>> & { hint: string; rows: number }) {
  const { value, edit, aria } = useSetting(path, id);
  const draft = useDraft((value ?? []).join('\n'), (text) => edit(path, text.split('\n').flatMap((line) => line.trim() || []), 0));
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} rows={rows} disabled={value === undefined} spellCheck={false} {...aria} {...draft} />
      <small>{hint}</small>
      <Refusal path={path} id={id} />
    </div>
  );
}
