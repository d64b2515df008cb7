// Selects the view by the path in the address bar. Links change this path without reloading the
// page.
import { Observable } from '../live/observable';
import { at, below } from './base';

export type View = 'now' | 'compose' | 'outputs' | 'machine' | 'learn' | 'fleet';

export interface Place {
  view: View;
  path: string;
  title: string;
  /** If this is set, the page links to the view only while the engine plays a site. */
  needsSite?: true;
}

export const PLACES: readonly Place[] = [
  { view: 'now', path: '/', title: 'Now' },
  { view: 'fleet', path: '/fleet', title: 'Fleet', needsSite: true },
  { view: 'compose', path: '/compose', title: 'Compose' },
  { view: 'outputs', path: '/outputs', title: 'Outputs' },
  { view: 'machine', path: '/machine', title: 'Machine' },
  { view: 'learn', path: '/learn', title: 'Learn' },
];

/** Returns the view for a path, or the Now view if the path is unknown. */
export function placeOf(path: string): Place {
  const bare = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const place = PLACES.find((it) => it.path === bare) ?? PLACES[0];
  if (place === undefined) throw new Error('the list of views is empty');
  return place;
}

export class Router {
  readonly place: Observable<Place>;

  constructor() {
    this.place = new Observable(placeOf(below(location.pathname)));
  }

  go = (path: string): void => {
    const address = at(path);
    if (address === location.pathname + location.hash) return;
    history.pushState(null, '', address);
    this.read();
    scrollTo(0, 0);
  };

  start(): () => void {
    addEventListener('popstate', this.read);
    this.read();
    return () => removeEventListener('popstate', this.read);
  }

  private readonly read = (): void => {
    const place = placeOf(below(location.pathname));
    document.title = place.view === 'now' ? 'khor' : `${place.title} · khor`;
    this.place.set(place);
  };
}
