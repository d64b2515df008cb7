// The card for this machine: its name and kernel, the source of its data, and the paths of khor's
// files.
import type { Health } from '../api/types';
import { Facts } from '../app/Facts';
import { sourceText } from '../now/status';

export function Host({ health }: { health: Health }) {
  const rows: [string, string][] = [
    ['Name', health.host.name],
    ['Kernel', health.host.kernel],
    ['CPUs', String(health.host.cpus)],
    ['Source', sourceText(health)],
    ['Details', health.source.detail === '' ? (health.source.error ?? 'unknown') : health.source.detail],
    ['khor', health.version],
    ['Settings', health.config_path],
    ['Your presets', health.presets.folder],
  ];
  return (
    <section aria-labelledby="host-title" className="card">
      <h2 id="host-title">This machine</h2>
      <Facts rows={rows} />
    </section>
  );
}
