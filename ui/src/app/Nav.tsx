// The links to the views: next to the logo on wide screens, at the bottom of the page on phones.
import type { MouseEvent } from 'react';
import { useObservable } from '../live/useObservable';
import { at } from './base';
import { PLACES, type View } from './router';
import { useStores } from './context';
import './nav.css';

const ICONS: Record<View, string> = {
  now: 'M1.5 9.5h3l2-6 3 9.5 2-5.5h3',
  fleet: 'M2 3.5h3v3H2zM6.5 3.5h3v3h-3zM11 3.5h3v3h-3zM2 9.5h3v3H2zM6.5 9.5h3v3h-3zM11 9.5h3v3h-3z',
  compose: 'M6 12.5V3.5l7-1.5v9M6 12.5a2 1.6 0 1 1-4 0a2 1.6 0 1 1 4 0zM13 11a2 1.6 0 1 1-4 0a2 1.6 0 1 1 4 0z',
  outputs: 'M2 6v4h2.5L8 13V3L4.5 6zM10.5 5.8a3.2 3.2 0 0 1 0 4.4M12.4 3.8a6 6 0 0 1 0 8.4',
  machine: 'M2 2.5h12v4.5H2zM2 9h12v4.5H2zM4.5 4.75h.01M4.5 11.25h.01',
  learn: 'M8 4.2C6.4 3 4.4 2.6 2 2.7v9.6c2.4-.1 4.4.3 6 1.5c1.6-1.2 3.6-1.6 6-1.5V2.7c-2.4-.1-4.4.3-6 1.5zM8 4.2v9.6',
};

export function Nav() {
  const { router, fleet } = useStores();
  const { view } = useObservable(router.place);
  const hasSite = useObservable(fleet.hasSite);
  const follow = (event: MouseEvent, path: string) => {
    // Let the browser handle clicks that open a new tab or a new window.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    router.go(path);
    document.querySelector('main')?.focus({ preventScroll: true });
  };
  return (
    <nav aria-label="Views">
      {PLACES.filter((place) => hasSite || place.needsSite !== true).map((place) => (
        <a key={place.view} href={at(place.path)} aria-current={place.view === view ? 'page' : undefined} onClick={(event) => follow(event, place.path)}>
          <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
            <path d={ICONS[place.view]} strokeLinecap="round" strokeLinejoin="round" />
          </svg>
          {place.title}
        </a>
      ))}
    </nav>
  );
}
