// The table of routes, one route in each row.
import { useStores } from '../app/context';
import type { PresetFile, Route, Vocabulary } from '../api/types';
import { RouteRow } from './RouteRow';

/** A route to the first feature that has none yet, over the feature's whole range. */
export function freshRoute(file: PresetFile, { features, inputs }: Vocabulary): Route | null {
  const free = features.find((feature) => !file.map?.some((route) => route.to === feature.name));
  const input = inputs[0];
  if (free === undefined || input === undefined) return null;
  return { signal: input.name, of: 'level', from: null, to: free.name, curve: 'linear', range: [free.low, free.high], polarity: 'up' };
}

interface Props {
  file: PresetFile;
  vocabulary: Vocabulary;
  problems: ReadonlyMap<number, readonly string[]>;
}

export function Mapping({ file, vocabulary, problems }: Props) {
  const { editor } = useStores();
  const fresh = freshRoute(file, vocabulary);
  return (
    <>
      <div className="route columns" aria-hidden="true">
        <span />
        <span>Signal</span>
        <span>of its</span>
        <span>from</span>
        <span />
        <span>moves</span>
        <span>between</span>
        <span>curve</span>
        <span>direction</span>
        <span />
      </div>
      <ol className="routes">
        {(file.map ?? []).map((route, i) => (
          <RouteRow key={i} index={i} route={route} vocabulary={vocabulary} problems={problems.get(i) ?? []} />
        ))}
      </ol>
      <button type="button" id="add-route" disabled={fresh === null} onClick={() => fresh !== null && editor.edit((it) => ({ ...it, map: [...(it.map ?? []), fresh] }))}>
        Add a route
      </button>
    </>
  );
}
