// Tests that the preset editor lets the engine check each change, previews and saves presets, and
// loses no unsaved changes.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import type { PresetFile } from '../api/types';
import { SettingsStore } from '../controls/store';
import { EditorStore } from './store';

const MAP = [{ signal: 'rx', of: 'level', from: null, to: 'voices.receive.density', curve: 'linear', range: [0, 9], polarity: 'up' }];
const BAD = { path: 'map[0].range', message: 'map[0].range: too narrow' };

let calls: string[];
let bodies: Record<string, PresetFile>;
let unsupported: boolean;
/** The unsaved preset that the fake engine plays. */
let previewed: PresetFile | null;
let editor: EditorStore;
let settings: SettingsStore;

function engine(url: string, init?: RequestInit): Promise<Response> {
  const json = (status: number, body: unknown) => Promise.resolve(new Response(JSON.stringify(body), { status }));
  const call = `${init?.method ?? 'GET'} ${url}`;
  calls.push(call);
  const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as PresetFile) : null;
  if (body !== null) bodies[call] = body;
  const narrow = body?.map?.[0]?.range[1] === 1;
  if (unsupported) return json(404, { ok: false, error: 'no such address' });
  if (url === '/api/mapping') return json(200, { inputs: [], features: [], of: [], curves: [], polarities: [] });
  if (url === '/api/presets') return json(200, { presets: [], current: 'ambient', previewing: previewed?.name ?? null });
  if (url === '/api/presets/check') return json(200, { ok: !narrow, problems: narrow ? [BAD] : [] });
  if (call === 'GET /api/presets/preview') return previewed === null ? json(404, { ok: false, error: 'no unsaved preset plays' }) : json(200, { ok: true, name: previewed.name, preset: previewed });
  if (url === '/api/presets/preview') return narrow ? json(400, { ok: false, error: BAD.message, problems: [BAD] }) : json(200, { ok: true });
  if (init?.method === 'PUT' && url.endsWith('/ambient')) return json(409, { ok: false, error: 'ambient is built in' });
  const name = url.split('/').pop() ?? '';
  return json(200, { ok: true, name, builtin: true, file: null, preset: body ?? { name, hint: name, bed: { notes: 4 }, map: MAP } });
}

const range = (high: number) => (file: PresetFile): PresetFile => ({ ...file, map: (file.map ?? []).map((it) => ({ ...it, range: [0, high] })) });
const settle = () => vi.advanceTimersByTimeAsync(1000);

beforeEach(async () => {
  vi.useFakeTimers();
  calls = [];
  bodies = {};
  unsupported = false;
  previewed = null;
  const client = new Client(engine);
  settings = new SettingsStore(client);
  editor = new EditorStore(client, settings);
  await editor.reload();
  await editor.open('ambient');
  await settle();
});

describe('a page that is loaded during a preview', () => {
  beforeEach(() => {
    previewed = { name: 'ambient', hint: 'ambient', bed: { notes: 4 }, map: MAP.map((it) => ({ ...it, range: [0, 5] })) } as PresetFile;
    const client = new Client(engine);
    settings = new SettingsStore(client);
    editor = new EditorStore(client, settings);
  });

  it.each(['before', 'after'])('restores the draft (list arrives %s opening)', async (order) => {
    if (order === 'before') await settings.refreshPresets();
    await editor.open('ambient');
    if (order === 'after') await settings.refreshPresets();
    await settle();
    expect(editor.state.get().draft?.file.map?.[0]?.range).toEqual([0, 5]);
    expect(editor.isEdited('ambient')).toBe(true);
    expect(editor.state.get().done).toMatch(/unsaved version/);
    editor.undo();
    expect(editor.isEdited('ambient')).toBe(false);
  });

  it('keeps a draft with edits', async () => {
    await editor.open('ambient');
    editor.edit(range(3));
    await settings.refreshPresets();
    await settle();
    expect(editor.state.get().draft?.file.map?.[0]?.range).toEqual([0, 3]);
  });
});

describe('EditorStore', () => {
  it('checks the whole preset after a pause', async () => {
    calls = [];
    editor.edit(range(3));
    editor.edit(range(1));
    await settle();
    expect(calls).toEqual(['POST /api/presets/check']);
    expect(bodies['POST /api/presets/check']).toMatchObject({ name: 'ambient', bed: { notes: 4 } });
    expect(editor.state.get().problems).toEqual([BAD]);
    editor.undo();
    await settle();
    expect(editor.state.get().problems).toEqual([]);
  });

  it('previews valid edits as they are made', async () => {
    await editor.preview();
    expect(settings.previewing.get()).toBe('ambient');
    calls = [];
    editor.edit(range(8));
    await settle();
    expect(calls).toEqual(['POST /api/presets/check', 'POST /api/presets/preview']);
    calls = [];
    editor.edit(range(1));
    await settle();
    expect(calls).toEqual(['POST /api/presets/check']);
    await editor.endPreview();
    expect(settings.previewing.get()).toBeNull();
  });

  it('keeps drafts while another preset is open', async () => {
    editor.edit(range(7));
    await editor.open('drone');
    expect(editor.state.get().draft?.file.hint).toBe('drone');
    expect(editor.isEdited('ambient')).toBe(true);
    await editor.open('ambient');
    expect(editor.state.get().draft?.file.map?.[0]?.range).toEqual([0, 7]);
    expect(editor.state.get().draft?.past).toHaveLength(1);
  });

  it('saves under a new name', async () => {
    editor.edit(range(7));
    await editor.saveAs('mine');
    await settle();
    expect(bodies['PUT /api/presets/mine']).toMatchObject({ name: 'mine', bed: { notes: 4 } });
    expect(calls).toContain('POST /api/preset/select?name=mine');
    expect(editor.state.get()).toMatchObject({ name: 'mine', done: 'Saved as mine.' });
    expect(editor.isEdited('ambient')).toBe(false);
  });

  it('keeps the draft if saving fails', async () => {
    editor.edit(range(7));
    await editor.saveAs('ambient');
    expect(editor.state.get().error).toBe('ambient is built in');
    expect(editor.isEdited('ambient')).toBe(true);
  });

  it('is hidden if the engine has no mapping', async () => {
    unsupported = true;
    await editor.reload();
    expect(editor.vocabulary.get()).toBeNull();
  });
});
