// The addresses other programs read; those this engine does not have are left out.
import { at } from '../app/base';
import { useSnooze } from '../header/Snooze';

const ALWAYS: readonly [string, string][] = [
  ['/api/health', 'this view as JSON'],
  ['/api/metrics', 'signals, notes and cues as JSON'],
  ['/api/explain', 'what sounds and why, in words'],
  ['/api/config', 'the settings'],
];
const NEWER: readonly [string, string][] = [
  ['/metrics', 'for Prometheus'],
  ['/api/openapi.json', 'the API, as OpenAPI 3.1'],
  ['/api/config/schema', 'the settings’ schema'],
];

export function Places() {
  // An engine that knows how to snooze is of the same age as these addresses.
  const places = useSnooze() === undefined ? ALWAYS : [...NEWER, ...ALWAYS];
  return (
    <section aria-labelledby="places-title" className="card">
      <h2 id="places-title">For other programs</h2>
      <dl className="facts">
        {places.map(([path, words]) => (
          <div key={path}>
            <dt>
              <a href={at(path)}>{path}</a>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
