// The frame of the page: the header, the current view, the connection banner and the keyboard
// shortcuts.
import { Header } from '../header/Header';
import { useObservable } from '../live/useObservable';
import { ConnectionBanner } from './ConnectionBanner';
import { Keys } from './Keys';
import { Login } from './Login';
import { useStores } from './context';
import { CurrentView } from './views';
import './layout.css';

export function App() {
  const { live, router, access } = useStores();
  const link = useObservable(live.link);
  const { view, title } = useObservable(router.place);
  const refusal = useObservable(access.refusal);
  const locked = refusal !== null;
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <Header />
      {!locked && <ConnectionBanner />}
      <main id="content" tabIndex={-1} aria-label={title} data-link={link} data-view={locked ? 'login' : view}>
        {refusal ? <Login refusal={refusal} /> : <CurrentView view={view} />}
      </main>
      {!locked && <Keys />}
    </>
  );
}
