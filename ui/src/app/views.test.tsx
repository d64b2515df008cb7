// Tests that a message asks the user to reload the page if the code of a view cannot be loaded, and
// that other views still work.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Loaded } from './views';

let root: Root;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  // React logs an error even if an error boundary catches it.
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(document.body.children[0] as HTMLElement);
});

afterEach(async () => {
  await act(async () => {
    root.unmount();
    await Promise.resolve();
  });
  vi.restoreAllMocks();
});

const show = (view: string, child: () => string) =>
  act(async () => {
    const Child = child;
    root.render(
      <Loaded key={view}>
        <Child />
      </Loaded>,
    );
    await Promise.resolve();
  });
const missing = () => {
  throw new Error('Failed to fetch dynamically imported module');
};

it('a view without code asks to reload the page', async () => {
  await show('compose', missing);
  expect(document.querySelector('[role=alert] button')?.textContent).toBe('Reload the page');
  await show('machine', () => 'the machine');
  expect(document.body.textContent).toBe('the machine');
});
