// Links to the addresses for other programs.
import { at } from '../app/base';

const PLACES: readonly [string, string][] = [
  ['/metrics', 'for Prometheus'],
  ['/api/openapi.json', 'the API, as OpenAPI 3.1'],
  ['/api/config/schema', 'the settings’ schema'],
  ['/api/health', 'this view as JSON'],
  ['/api/metrics', 'signals, notes and cues as JSON'],
  ['/api/explain', 'what sounds and why, in words'],
  ['/api/config', 'the settings'],
];

export function Places() {
  return (
    <section aria-labelledby="places-title" className="card">
      <h2 id="places-title">For other programs</h2>
      <dl className="facts">
        {PLACES.map(([path, words]) => (
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
