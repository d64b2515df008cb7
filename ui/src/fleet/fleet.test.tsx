// Tests the Fleet view with a fake engine: the user selects one host or all hosts with the mouse
// and the keyboard.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import { StoresContext } from '../app/context';
import { makeStores, type Stores } from '../app/stores';
import { Nav } from '../app/Nav';
import { FleetView } from './FleetView';
import { fleet, host } from './testing';

const CONFIG = {
  bpf: { cgroup: '', tgid_allow: [], tgid_deny: [] },
  features: { bpf: true, audio: true, midi: false, osc: false, fake: false },
  music: { bpm: 110, key_midi: 50, scale: 'dorian', preset: 'ambient', density: 0.5, smoothing: 0.5 },
  audio: { device: '', master_gain: 0.5, loudness_lufs: -23 },
  midi: { port: 'khor', channel: 1, clock: false },
  osc: { host: '127.0.0.1', port: 9000, targets: [], receive: { enabled: false, port: 9001 } },
  quiet: { enabled: false, from: '22:00', to: '07:00' },
  desktop: { bus: false, mpris: false, notifications: false },
  site: { name: '', host: null, mode: 'ensemble' },
};

let stores: Stores;
let root: Root;
let playing: string | null;
let hosts = [host('web-2', { deviation: 6, section: 'web' }), host('web-1', { section: 'web' }), host('db', { section: 'db', state: 'silent', deviation: null })];

const button = (name: string) => document.querySelector<HTMLButtonElement>(`[data-host="${name}"]`);
const places = () => [...document.querySelectorAll<HTMLElement>('.host')].map((cell) => [cell.querySelector('button')?.dataset.host, cell.style.transform]);
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function answer(url: string, init?: RequestInit): Promise<Response> {
  const json = (body: unknown) => Promise.resolve(new Response(JSON.stringify(body)));
  if (url === '/api/fleet') return json(fleet(hosts, { soloists: ['web-2'], alone: playing === null ? null : { host: playing, ok: true, error: null, fix: null } }));
  if (init?.method === 'PATCH' && typeof init.body === 'string') playing = (JSON.parse(init.body) as { site: { host: string | null } }).site.host;
  return json({ ...CONFIG, site: { name: 'home', host: playing }, ok: true, restart_required: false });
}

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  vi.useFakeTimers();
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(700);
  playing = null;
  stores = makeStores(new Client(answer));
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(document.getElementById('root') as HTMLDivElement);
  await act(async () => {
    root.render(
      <StoresContext value={stores}>
        <Nav />
        <FleetView />
      </StoresContext>,
    );
    await stores.settings.refresh();
  });
});

afterEach(() => {
  act(() => root.unmount());
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('the view has a link only with a site', () => {
  const links = () => [...document.querySelectorAll('nav a')].map((link) => link.textContent);
  const follow = (kind: string | null) => act(() => stores.fleet.follow({ source: { kind } } as Parameters<typeof stores.fleet.follow>[0]));
  expect(links()).not.toContain('Fleet');
  follow('site');
  expect(links()).toContain('Fleet');
  follow(null);
  expect(links()).toContain('Fleet');
  follow('collector');
  expect(links()).not.toContain('Fleet');
});

it('the view names hosts that stand out or are silent', () => {
  expect(document.querySelector('h1')?.textContent).toContain('web-2 stands out');
  expect(button('web-2')?.dataset.voices).toBe('true');
  expect(button('db')?.getAttribute('aria-label')).toBe('db silent, section db');
  expect([...document.querySelectorAll('.field h2')].map((title) => title.textContent)).toEqual(['db 1 host, 1 silent', 'web 2 hosts']);
});

it('a click plays one host, another click all hosts', async () => {
  act(() => button('web-1')?.click());
  expect(button('web-1')?.getAttribute('aria-pressed')).toBe('true');
  await pass(1200);
  expect(playing).toBe('web-1');
  expect(document.querySelector('h1')?.textContent).toBe('web-1 alone: as usual.');
  act(() => button('web-1')?.click());
  await pass(1200);
  expect(playing).toBeNull();
});

it('the keyboard selects hosts, with one tab stop', async () => {
  expect(document.querySelectorAll('.field [tabindex="0"]')).toHaveLength(1);
  act(() => button('db')?.focus());
  const press = (key: string) =>
    act(() => {
      document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    });
  press('ArrowDown');
  expect(document.activeElement).toBe(button('web-2'));
  expect(button('web-2')?.tabIndex).toBe(0);
  expect(document.querySelector('#host-title')?.textContent).toBe('web-2');
  act(() => button('web-2')?.click());
  await pass(500);
  expect(playing).toBe('web-2');
  press('Escape');
  await pass(500);
  expect(playing).toBeNull();
});

it('cells move rarely, and by transforms only', async () => {
  const before = places();
  hosts = hosts.map((it) => (it.name === 'web-1' ? { ...it, deviation: 9 } : it));
  await pass(3000);
  expect(places()).toEqual(before);
  await pass(9000);
  const after = places();
  expect(after.map(([name]) => name)).toEqual(before.map(([name]) => name));
  expect(after).not.toEqual(before);
});
