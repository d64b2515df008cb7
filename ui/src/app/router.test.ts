// Tests that each URL selects a view, and that links and the back button change the view.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { placeOf, PLACES, Router } from './router';

describe('placeOf', () => {
  it.each(PLACES.map(({ path, view }) => [path, view]))('%s is %s', (path, view) => expect(placeOf(path).view).toBe(view));
  it('ignores a slash at the end', () => expect(placeOf('/compose/').view).toBe('compose'));
  it('selects the view Now for unknown addresses', () => expect(placeOf('/nonsense').view).toBe('now'));
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

  it('starts with the view of the address', () => {
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
