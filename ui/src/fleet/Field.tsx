// The hosts by section, ordered by their deviation. The field is one tab stop; the arrow keys move
// within it.
import { useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import type { FleetHost } from '../api/types';
import { Cell } from './Cell';
import { densityOf, gridOf, isKey, rows, step, type Grid } from './grid';
import type { Section } from './order';
import { count, familyOf, isUnusual, oddities, spoken, standing, type Signals } from './words';

interface Props {
  sections: readonly Section[];
  signals: Signals;
  soloists: readonly string[];
  alone: string | null;
  hear: (host: string | null) => void;
  look: (host: string | null) => void;
  /** A hand is at it. */
  stir: () => void;
}

/** Around each cell, pixels; fleet.css has the same. */
const CELL_PADDING = 2;

/** Room across, pixels; 0 before it is known. */
function useRoom() {
  const ref = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(0);
  useLayoutEffect(() => {
    const field = ref.current;
    if (field === null) return;
    const measure = () => setRoom(field.clientWidth + 2 * CELL_PADDING);
    measure();
    const resize = new ResizeObserver(measure);
    resize.observe(field);
    return () => resize.disconnect();
  }, []);
  return { ref, room };
}

const nameAt = (target: EventTarget): string | null => (target instanceof Element ? (target.closest('[data-host]')?.getAttribute('data-host') ?? null) : null);

export function Field({ sections, signals, soloists, alone, hear, look, stir }: Props) {
  const { ref, room } = useRoom();
  const [stop, setStop] = useState<string | null>(null);
  const inOrder = sections.flatMap(({ hosts }) => hosts.map(({ name }) => name));
  const longest = inOrder.reduce((most, name) => Math.max(most, name.length), 0);
  const density = densityOf(inOrder.length, longest, room);
  const grid = gridOf(density, longest, room);
  const stops = stop !== null && inOrder.includes(stop) ? stop : (inOrder[0] ?? null);

  const choose = (event: MouseEvent) => {
    const name = nameAt(event.target);
    if (name !== null) hear(name === alone ? null : name);
  };
  const press = (event: KeyboardEvent) => {
    stir();
    if (event.key === 'Escape') hear(null);
    const here = inOrder.indexOf(nameAt(event.target) ?? '');
    if (!isKey(event.key) || here < 0 || event.metaKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    const to = inOrder[step(sections.map(({ hosts }) => hosts.length), grid.columns, here, event.key)];
    if (to !== undefined) ref.current?.querySelector<HTMLButtonElement>(`[data-host="${CSS.escape(to)}"]`)?.focus();
  };
  return (
    <div
      className="field"
      ref={ref}
      onClick={choose}
      onKeyDown={press}
      onPointerMove={stir}
      onPointerOver={(event) => look(nameAt(event.target))}
      onPointerLeave={() => look(null)}
      onFocus={(event) => {
        const name = nameAt(event.target);
        setStop(name);
        look(name);
      }}
      onBlur={() => look(null)}
    >
      {room > 0 && sections.map((section) => <Hosts key={section.label ?? ''} section={section} titled={sections.length > 1 || section.label !== null} grid={grid} density={density} signals={signals} soloists={soloists} alone={alone} stops={stops} />)}
    </div>
  );
}

interface HostsProps {
  section: Section;
  titled: boolean;
  grid: Grid;
  density: ReturnType<typeof densityOf>;
  signals: Signals;
  soloists: readonly string[];
  alone: string | null;
  stops: string | null;
}

/** Cells stand in the document by name, so that nothing has to be moved there; where they are seen
 *  is their transform. */
function Hosts({ section: { label, hosts }, titled, grid, density, signals, soloists, alone, stops }: HostsProps) {
  const placed = hosts.map((host, place) => ({ host, place })).sort((a, b) => (a.host.name < b.host.name ? -1 : 1));
  const silent = hosts.filter(({ state }) => state === 'silent').length;
  const words = label ?? 'no section';
  return (
    <section aria-label={titled ? `Section ${words}` : 'Hosts'}>
      {titled && (
        <h2>
          {words} <span>{`${count(hosts.length, 'host')}${silent === 0 ? '' : `, ${silent} silent`}`}</span>
        </h2>
      )}
      <ul style={{ height: rows(grid, hosts.length) * grid.height }}>
        {placed.map(({ host, place }) => (
          <Cell key={host.name} {...shown(host, signals)} hasVoices={soloists.includes(host.name)} isAlone={host.name === alone} spoken={spoken(host, signals, soloists.includes(host.name), host.name === alone)} isStop={host.name === stops} density={density} place={place} {...grid} />
        ))}
      </ul>
    </section>
  );
}

function shown(host: FleetHost, signals: Signals) {
  const unusual = isUnusual(host);
  return {
    name: host.name,
    state: host.state,
    words: standing(host, signals),
    family: familyOf(host, signals),
    deviation: unusual ? Math.round((host.deviation ?? 0) * 4) / 4 : 0,
    isOdd: oddities(host).length > 0,
  };
}
