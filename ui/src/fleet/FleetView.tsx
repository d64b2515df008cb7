// The Fleet view: shows all hosts of the site, and lists those that stand out, are silent or have
// problems. The user can select one host to play alone.
import { useEffect, useState } from 'react';
import { useAnnounced } from '../app/announced';
import { useStores } from '../app/context';
import { Select, type Option } from '../controls/fields';
import { CATALOGUE } from '../live/catalogue';
import { useObservable } from '../live/useObservable';
import { Field } from './Field';
import { HostCard } from './HostCard';
import { Legend, Problems, Silent, StandingOut, InnerSites } from './Notices';
import { sections } from './order';
import type { FleetState } from './store';
import { count, headline, news, type Signals } from './words';
import './fleet.css';

/** The values of the setting `site.mode`, each with its text. */
const MODES: Option[] = [
  { value: 'ensemble', text: 'all hosts as one machine' },
  { value: 'sections', text: 'one pulse for each section' },
  { value: 'roll_call', text: 'roll call: one host after another' },
];

const KNOWN: Signals = Object.fromEntries(CATALOGUE.map(({ name, label, family }) => [name, { label, family }]));

export function FleetView() {
  const { fleet } = useStores();
  const state = useObservable(fleet.state);
  useEffect(() => fleet.watch(), [fleet]);
  if (state === null)
    return (
      <div className="head">
        <h1>Fleet</h1>
        <p>Loading…</p>
      </div>
    );
  return <Site state={state} />;
}

function Site({ state: { fleet, arrangement } }: { state: FleetState }) {
  const stores = useStores();
  const signals = useObservable(stores.live.text)?.signals ?? KNOWN;
  const { values, errors } = useObservable(stores.settings.state);
  const [inspected, setInspected] = useState<string | null>(null);
  const announced = useAnnounced(news(fleet), news(fleet));
  const alone = values === null ? (fleet.alone?.host ?? null) : values['site.host'];
  const solo = fleet.soloists;
  const play = (host: string | null) => {
    if (host !== alone) stores.settings.edit('site.host', host, 0);
  };
  const shown = [inspected, alone, solo[0], arrangement.order[0]].flatMap((name) => fleet.hosts.find((host) => host.name === name) ?? [])[0];
  return (
    <div className="fleet">
      <div className="head">
        <h1>{headline(fleet, signals).map((part, i) => (part.family === undefined ? part.text : <em key={i} data-family={part.family}>{part.text}</em>))}</h1>
        <p>{summary(fleet)}</p>
        <Trouble of={fleet} />
        {fleet.alone?.ok === false && <p className="trouble">What to do: {fleet.alone.fix}.</p>}
        <p className="hidden" aria-live="polite">
          {announced}
        </p>
      </div>
      {fleet.hosts.length + fleet.sites.length > 0 && (
        <>
          <div className="picture">
            <div className="whose" role="group" aria-label="Hosts that play">
              <button type="button" id="all-hosts" aria-pressed={alone === null} disabled={values === null} onClick={() => play(null)}>
                All together
              </button>
              {alone !== null && (
                <button type="button" id="alone" aria-pressed={true} onClick={() => play(null)} aria-label={`${alone} alone; press to play all hosts`}>
                  {alone} alone
                </button>
              )}
              <small>{alone === null ? 'Press a host to play it alone.' : 'Press the host again, or Escape, to play all hosts.'}</small>
              {alone === null && <Select path="site.mode" id="site-mode" label="Mode" options={MODES} convert={String} hint={fleet.remark ?? undefined} />}
              {errors['site.host'] !== undefined && <span role="alert">{errors['site.host']}</span>}
            </div>
            <Field sections={sections(fleet.hosts, arrangement.order)} signals={signals} soloists={solo} alone={alone} play={play} inspect={setInspected} hold={stores.fleet.hold} />
          </div>
          <aside aria-label="Details of hosts">
            {shown !== undefined && <HostCard host={shown} signals={signals} hasVoices={solo.includes(shown.name)} isAlone={shown.name === alone} play={play} />}
            <StandingOut fleet={fleet} order={arrangement.order} signals={signals} />
            <Silent fleet={fleet} />
            <InnerSites fleet={fleet} />
            <Problems fleet={fleet} />
            <Legend />
          </aside>
        </>
      )}
    </div>
  );
}

function summary({ site, hosts, sites, live, silent, versions }: FleetState['fleet']): string {
  if (site === null) return 'To play a site, start the engine with --site, or set site.name.';
  const inner = sites.length === 0 ? [] : [`${count(sites.length, 'inner site')} (only hosts that stand out are shown)`];
  const labels = new Set(hosts.flatMap(({ section }) => section ?? [])).size;
  const relays = Object.keys(versions).length > 1 ? [count(Object.keys(versions).length, 'relay version')] : [];
  return [`site ${site}`, count(live + silent, 'host'), ...(silent > 0 ? [`${silent} silent`] : []), ...(labels > 0 ? [count(labels, 'section')] : []), ...inner, ...relays].join(' · ');
}

/** Shows what is wrong with the whole site, and how to fix it. */
function Trouble({ of: { ok, error, fix } }: { of: { ok: boolean; error: string | null; fix?: string | null } }) {
  if (ok || error === null) return null;
  return (
    <p className="trouble">
      <strong>{error}</strong>
      {fix !== null && fix !== undefined && <span>: {fix}</span>}
    </p>
  );
}
