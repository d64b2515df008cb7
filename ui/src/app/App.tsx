// The page's frame: the header with the way between the views, the view itself, and what must be said wherever one is.
import type { ReactNode } from 'react';
import { ComposeView } from '../compose/ComposeView';
import { FleetView } from '../fleet/FleetView';
import { Header } from '../header/Header';
import { LearnView } from '../learn/LearnView';
import { useObservable } from '../live/observable';
import { MachineView } from '../machine/MachineView';
import { NowView } from '../now/NowView';
import { OutputsView } from '../outputs/OutputsView';
import { ConnectionBanner } from './ConnectionBanner';
import { Keys } from './Keys';
import { Login } from './Login';
import type { View } from './router';
import { useStores } from './stores';
import './layout.css';

const VIEWS: Record<View, () => ReactNode> = { now: NowView, fleet: FleetView, compose: ComposeView, outputs: OutputsView, machine: MachineView, learn: LearnView };

export function App() {
  const { live, router, access } = useStores();
  const link = useObservable(live.link);
  const { view, title } = useObservable(router.place);
  const refusal = useObservable(access.refusal);
  const locked = refusal !== null;
  const Current = VIEWS[view];
  return (
    <>
      <a className="skip" href="#content">
        Skip to the view
      </a>
      <Header />
      {!locked && <ConnectionBanner />}
      <main id="content" tabIndex={-1} aria-label={title} data-link={link} data-view={locked ? 'login' : view}>
        {refusal ? <Login refusal={refusal} /> : <Current key={view} />}
      </main>
      {!locked && <Keys />}
    </>
  );
}
