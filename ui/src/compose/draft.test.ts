// Tests the parts of the preset editor: every change can be undone and redone, and all typing in
// one field is a single undo step.
import { describe, expect, it } from 'vitest';
import type { PresetFile, Route } from '../api/types';
import { change, draftOf, edited, redo, undo, withoutRoute, withRoute } from './draft';
import { freshRoute } from './Mapping';
import { nameProblem, routeOf, sortProblems } from './problems';
import { curveAt, shapePath } from './shape';

const route = (to: string): Route => ({ signal: 'rx', of: 'level', from: null, to, curve: 'linear', range: [0, 8], polarity: 'up' });
const FILE = { hint: 'x', bed: { notes: 4 }, map: [route('a'), route('b')] } as unknown as PresetFile;
const hint = (text: string): PresetFile => ({ ...FILE, hint: text });

describe('draft', () => {
  it('undoes and redoes changes', () => {
    let draft = change(change(draftOf(FILE), hint('1')), hint('2'));
    draft = undo(draft);
    expect(draft.file.hint).toBe('1');
    expect(redo(draft).file.hint).toBe('2');
    draft = change(draft, hint('3'));
    expect(redo(draft)).toBe(draft);
    expect(undo(undo(undo(draft))).file).toBe(FILE);
  });

  it('treats typing as one step', () => {
    let draft = change(change(change(draftOf(FILE), hint('a'), 'hint'), hint('ab'), 'hint'), hint('abc'), 'hint');
    expect(draft.past).toHaveLength(1);
    draft = change(undo(draft), hint('z'), 'hint');
    expect(undo(draft).file).toBe(FILE);
  });

  it('knows whether it has unsaved changes', () => {
    const draft = change(draftOf(FILE), hint('y'));
    expect(edited(draft)).toBe(true);
    expect(edited(change(draft, hint('x')))).toBe(false);
  });

  it('keeps other fields and the old file', () => {
    const next = withRoute(withoutRoute(FILE, 0), 0, { curve: 'root' });
    expect(next).toEqual({ ...FILE, map: [{ ...route('b'), curve: 'root' }] });
    expect(FILE.map).toHaveLength(2);
  });
});

describe('problems of a preset', () => {
  it('are assigned to the rows of the mapping', () => {
    const { routes, others } = sortProblems(
      [
        { path: 'map[1].range', message: 'map[1].range: too narrow' },
        { path: 'map[1]', message: 'two on one feature' },
        { path: 'bed.notes', message: '9 is outside 1..4' },
        { path: 'map[7]', message: 'no such route' },
      ],
      2,
    );
    expect([...routes]).toEqual([[1, ['range: too narrow', 'two on one feature']]]);
    expect(others).toEqual(['bed.notes: 9 is outside 1..4', 'map[7]: no such route']);
    expect([routeOf('map[12].to'), routeOf('swing')]).toEqual([12, null]);
  });

  it('include invalid, reserved and built-in names', () => {
    expect(nameProblem('my-own_2', ['ambient'])).toBeNull();
    for (const name of ['', 'My', 'a b', 'ä', 'x'.repeat(65)]) expect(nameProblem(name, [])).toMatch(/lower-case/);
    expect(nameProblem('ambient', ['ambient'])).toMatch(/built in/);
    expect(nameProblem('preview', [])).toMatch(/reserved/);
  });
});

describe('a new route', () => {
  const feature = (name: string) => ({ name, layer: 'bed', unit: 'dB', low: -2, high: 2, audible_step: 0.1, meaning: '' });
  const vocabulary = { inputs: [{ name: 'rx', label: 'received', family: null }], features: ['a', 'b', 'c'].map(feature), of: [], curves: [], polarities: [] };

  it('controls the first free feature', () => expect(freshRoute(FILE, vocabulary)).toMatchObject({ to: 'c', range: [-2, 2] }));
  it('needs a free feature', () => expect(freshRoute({ ...FILE, map: [...(FILE.map ?? []), route('c')] }, vocabulary)).toBeNull());
});

describe('shape', () => {
  it('starts and ends like the curve', () => {
    expect([curveAt('linear', 'up', 0.5), curveAt('square', 'up', 0.5), curveAt('root', 'down', 0.25)]).toEqual([0.5, 0.25, 0.5]);
    expect(shapePath('linear', 'down', 36, 22)).toMatch(/^M2\.0,2\.0L.*L34\.0,20\.0$/);
  });
});
