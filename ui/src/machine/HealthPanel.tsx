// Shows the state of each part of khor. A part that has a problem also shows the error and the fix.
import type { Health } from '../api/types';
import { partRows, type PartRow, type PartState } from './parts';
import './health.css';

const WORDS: Record<PartState, string> = { ok: 'ok', disabled: 'off', problem: 'problem', fallback: 'fallback', demo: 'demo', capture: 'capture' };
export const SIGNS: Record<PartState, string> = { ok: '✓', disabled: '–', problem: '▲', fallback: '◆', demo: '◆', capture: '◆' };

export function Part({ part }: { part: PartRow }) {
  return (
    <li data-state={part.state}>
      <span className="sign" aria-hidden="true">
        {SIGNS[part.state]}
      </span>
      <div>
        <b>{part.name}</b> <span className="state">{WORDS[part.state]}</span>
        {part.detail !== '' && <small>{part.detail}</small>}
        {part.fix !== null && <small className="fix">{part.fix}</small>}
      </div>
    </li>
  );
}

export function HealthPanel({ health }: { health: Health }) {
  return (
    <section aria-labelledby="health-title" className="health">
      <h2 id="health-title">Health</h2>
      <ul>
        {partRows(health).map((part) => (
          <Part key={part.name} part={part} />
        ))}
      </ul>
    </section>
  );
}
