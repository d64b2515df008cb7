// Creates the stores, which hold the whole state of the page, and connects them to each other.
import { Client } from '../api/client';
import { EditorStore } from '../compose/store';
import { SettingsStore } from '../controls/store';
import { FleetStore } from '../fleet/store';
import { HealthStore } from '../health/store';
import { LearnStore } from '../learn/store';
import { RecorderStore } from '../listen/recorder';
import { ListenStore } from '../listen/store';
import { LiveStore } from '../live/store';
import { MachineStore } from '../machine/store';
import { SentenceStore } from '../now/sentenceStore';
import { ThemeStore } from '../theme/store';
import { AccessStore } from './access';
import { KeysStore } from './shortcuts';
import { Router } from './router';

export interface Stores {
  router: Router;
  keys: KeysStore;
  access: AccessStore;
  live: LiveStore;
  sentence: SentenceStore;
  settings: SettingsStore;
  editor: EditorStore;
  health: HealthStore;
  fleet: FleetStore;
  machine: MachineStore;
  listen: ListenStore;
  recorder: RecorderStore;
  learn: LearnStore;
  theme: ThemeStore;
}

export function makeStores(client = new Client()): Stores {
  const health = new HealthStore(client);
  const settings = new SettingsStore(client);
  const live = new LiveStore(client);
  return {
    router: new Router(),
    keys: new KeysStore(),
    access: new AccessStore(client),
    live,
    sentence: new SentenceStore(live, health),
    settings,
    editor: new EditorStore(client, settings),
    health,
    fleet: new FleetStore(client),
    machine: new MachineStore(client, health),
    listen: new ListenStore(),
    recorder: new RecorderStore(client, health),
    learn: new LearnStore(),
    theme: new ThemeStore(),
  };
}

/** Calls `then` after each change of the scope (the part of the machine that khor plays). */
function watchScope(health: HealthStore, then: () => void): () => void {
  let whose = health.state.get()?.scope.whose;
  return health.state.subscribe(() => {
    const before = whose;
    whose = health.state.get()?.scope.whose ?? before;
    if (before !== undefined && whose !== before) then();
  });
}

export function startStores({ router, access, live, sentence, settings, editor, health, fleet, theme }: Stores): () => void {
  const stops = [
    live.session.subscribe(() => {
      void settings.reload();
      void editor.reload();
    }),
    live.text.subscribe(() => {
      const moment = live.text.get();
      if (moment !== null) settings.follow(moment.controls);
    }),
    live.health.subscribe(() => health.state.set(live.health.get())),
    live.configTag.subscribe(() => void settings.refresh()),
    live.link.subscribe(() => {
      if (live.link.get() === 'lost') void access.check();
    }),
    health.state.subscribe(() => fleet.follow(health.state.get())),
    watchScope(health, () => live.dropHistory()),
    access.refusal.subscribe(() => {
      if (access.refusal.get() === null) live.reopen();
    }),
    router.start(),
    sentence.start(),
    live.start(),
    theme.start(),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
