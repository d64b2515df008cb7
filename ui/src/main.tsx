// Renders the complete page with React. The page replaces the sentence that boot.ts has painted.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { StoresContext } from './app/context';
import type { Stores } from './app/stores';
import { prefetchViews } from './app/views';

export function mount(root: HTMLElement, stores: Stores): void {
  createRoot(root).render(
    <StrictMode>
      <StoresContext value={stores}>
        <App />
      </StoresContext>
    </StrictMode>,
  );
  const stop = stores.live.session.subscribe(() => {
    stop();
    prefetchViews();
  });
}
