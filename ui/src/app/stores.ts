// Makes the stores, ties them together, and hands them to the components.
import { createContext, useContext } from 'react';
import { Client } from '../api/client';
import { SettingsStore } from '../controls/store';
import { HealthStore } from '../health/store';
import { RecorderStore } from '../listen/recorder';
import { ListenStore } from '../listen/store';
import { LiveStore } from '../live/store';
import { ThemeStore } from '../theme/store';

export interface Stores {
  live: LiveStore;
  settings: SettingsStore;
  health: HealthStore;
  listen: ListenStore;
  recorder: RecorderStore;
  theme: ThemeStore;
}

export function makeStores(client = new Client()): Stores {
  const health = new HealthStore(client);
  return {
    live: new LiveStore(client),
    settings: new SettingsStore(client),
    health,
    listen: new ListenStore(),
    recorder: new RecorderStore(client, health),
    theme: new ThemeStore(),
  };
}

export function startStores({ live, settings, health, theme }: Stores): () => void {
  settings.onConfirmed = () => void health.refresh();
  const stops = [
    live.session.subscribe(() => {
      void health.refresh();
      void settings.reload();
    }),
    live.text.subscribe(() => {
      const metrics = live.text.get();
      if (metrics !== null) settings.follow(metrics.controls);
    }),
    live.start(),
    health.start(() => void settings.refresh()),
    theme.start(),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

export const StoresContext = createContext<Stores | null>(null);

export function useStores(): Stores {
  const stores = useContext(StoresContext);
  if (stores === null) throw new Error('no stores: the component stands outside StoresContext');
  return stores;
}
