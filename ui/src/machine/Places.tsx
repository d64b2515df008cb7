// Links to the URLs of the engine that other programs use.
import { at } from '../app/base';

const PLACES: readonly [string, string][] = [
  ['/metrics', 'for Prometheus'],
  ['/api/openapi.json', 'OpenAPI 3.1 document'],
  ['/api/config/schema', 'JSON Schema of the settings'],
  ['/api/health', 'health as JSON'],
  ['/api/metrics', 'signals, notes and cues as JSON'],
  ['/api/explain', 'explanation of the current sound'],
  ['/api/config', 'settings as JSON'],
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
