// Loads and shows the views. The code of the Now view is part of the first page load. The browser
// loads the code of the other views when it is idle, so that they do not delay the first paint.
import { Component, lazy, Suspense, type ComponentType, type ReactNode } from 'react';
import { LATER_IN_NOW } from '../now/later';
import { NowView } from '../now/NowView';
import type { View } from './router';

type Load = () => Promise<{ default: ComponentType }>;

const LATER: Record<Exclude<View, 'now'>, Load> = {
  fleet: async () => ({ default: (await import('../fleet/FleetView')).FleetView }),
  compose: async () => ({ default: (await import('../compose/ComposeView')).ComposeView }),
  outputs: async () => ({ default: (await import('../outputs/OutputsView')).OutputsView }),
  machine: async () => ({ default: (await import('../machine/MachineView')).MachineView }),
  learn: async () => ({ default: (await import('../learn/LearnView')).LearnView }),
};

const VIEWS: Record<View, ComponentType> = {
  now: NowView,
  fleet: lazy(LATER.fleet),
  compose: lazy(LATER.compose),
  outputs: lazy(LATER.outputs),
  machine: lazy(LATER.machine),
  learn: lazy(LATER.learn),
};

/** Loads the code of all other views in advance, so that a click on a link shows its view at
 *  once. */
export function prefetchViews(): void {
  const load = () => {
    // Ignore errors here: `Loaded` reports a missing file when the user opens its view.
    for (const view of [...Object.values(LATER), ...LATER_IN_NOW]) view().catch(() => undefined);
  };
  // Safari does not support `requestIdleCallback`.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(load);
  else setTimeout(load, 1000);
}

/** Shows an error message in place of a view that failed. The usual cause is an update of the
 *  engine after the page was opened: the old code of the view no longer exists. */
export class Loaded extends Component<{ children: ReactNode }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <section className="login card" role="alert">
        <h1>This view could not be shown</h1>
        <p>The engine may have been updated since this page was opened.</p>
        <button type="button" className="primary" onClick={() => location.reload()}>
          Reload the page
        </button>
      </section>
    );
  }
}

export function CurrentView({ view }: { view: View }) {
  const Current = VIEWS[view];
  return (
    <Loaded key={view}>
      <Suspense fallback={<p className="loading" role="status" aria-label="Loading the view" />}>
        <Current />
      </Suspense>
    </Loaded>
  );
}
