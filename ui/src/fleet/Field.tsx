// The grid of hosts: one cell for each host, grouped by section, largest deviation first. The Tab
// key stops only once in the grid, and the arrow keys move within it.
import { useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import type { FleetHost } from '../api/types';
import { Cell } from './Cell';
import { densityOf, gridOf, isKey, rows, step, type Grid } from './grid';
import type { Section } from './order';
import { count, familyOf, isUnusual, problemsOf, spokenText, stateText, type Signals } from './words';

interface Props {
  sections: readonly Section[];
  signals: Signals;
  soloists: readonly string[];
  /** The only host that plays; null if all hosts play. */
  alone: string | null;
  /** Makes the engine play only this host, or all hosts if the argument is null. */
  play: (host: string | null) => void;
  /** Shows the details of the host that has the pointer or the keyboard focus. */
  inspect: (host: string | null) => void;
  /** Keeps all hosts at their places for a while. Called whenever the user moves the mouse or
   *  presses a key in the grid. */
  hold: () => void;
}

/** Padding of each cell, in pixels. It must be the same as in fleet.css. */
const CELL_PADDING = 2;

/** Measures the width that is available for cells, in pixels. It is 0 before the first
 *  measurement. */
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

/** Returns the name of the host whose cell contains an element, or null if the element is outside
 *  all cells. */
const nameAt = (target: EventTarget): string | null => (target instanceof Element ? (target.closest('[data-host]')?.getAttribute('data-host') ?? null) : null);

export function Field({ sections, signals, soloists, alone, play, inspect, hold }: Props) {
  const { ref, room } = useRoom();
  const [stop, setStop] = useState<string | null>(null);
  const inOrder = sections.flatMap(({ hosts }) => hosts.map(({ name }) => name));
  const longest = inOrder.reduce((most, name) => Math.max(most, name.length), 0);
  const density = densityOf(inOrder.length, longest, room);
  const grid = gridOf(density, longest, room);
  const stops = stop !== null && inOrder.includes(stop) ? stop : (inOrder[0] ?? null);

  const choose = (event: MouseEvent) => {
    const name = nameAt(event.target);
    if (name !== null) play(name === alone ? null : name);
  };
  const press = (event: KeyboardEvent) => {
    hold();
    if (event.key === 'Escape') play(null);
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
      onPointerMove={hold}
      onPointerOver={(event) => inspect(nameAt(event.target))}
      onPointerLeave={() => inspect(null)}
      onFocus={(event) => {
        const name = nameAt(event.target);
        setStop(name);
        inspect(name);
      }}
      onBlur={() => inspect(null)}
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
  /** Name of the host whose cell gets the focus when the user enters the grid with the Tab key. */
  stops: string | null;
}

/** The hosts of one section. The document contains the cells in the order of the hosts' names. CSS
 *  transforms arrange the cells by deviation, so a new order does not change the document. */
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
          <Cell key={host.name} {...shown(host, signals)} hasVoices={soloists.includes(host.name)} isAlone={host.name === alone} spoken={spokenText(host, signals, soloists.includes(host.name), host.name === alone)} isStop={host.name === stops} density={density} place={place} {...grid} />
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
    words: stateText(host, signals),
    family: familyOf(host, signals),
    deviation: unusual ? Math.round((host.deviation ?? 0) * 4) / 4 : 0,
    hasProblem: problemsOf(host).length > 0,
  };
}
