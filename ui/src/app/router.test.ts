// Addresses name views, links move between them, and the back button goes back.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { placeOf, PLACES, Router } from './router';

describe('placeOf', () => {
  it.each(PLACES.map(({ path, view }) => [path, view]))('%s is %s', (path, view) => expect(placeOf(path).view).toBe(view));
  it('forgives a slash at the end', () => expect(placeOf('/compose/').view).toBe('compose'));
  it('shows the first view for what it does not know', () => expect(placeOf('/nonsense').view).toBe('now'));
});

describe('Router', () => {
  let router: Router;
  let stop: () => void;

  beforeEach(() => {
    vi.stubGlobal('scrollTo', () => undefined);
    history.replaceState(null, '', '/outputs');
    router = new Router();
    stop = router.start();
  });
  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
  });

  it('begins where the address says, and names it in the title', () => {
    expect(router.place.get().view).toBe('outputs');
    expect(document.title).toBe('Outputs · khor');
  });

  it('changes address, title and view together', () => {
    router.go('/compose');
    expect([location.pathname, document.title, router.place.get().view]).toEqual(['/compose', 'Compose · khor', 'compose']);
  });

  it('follows the back button', () => {
    router.go('/compose');
    history.replaceState(null, '', '/outputs');
    dispatchEvent(new PopStateEvent('popstate'));
    expect(router.place.get().view).toBe('outputs');
  });
});
