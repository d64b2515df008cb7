// Edits the mapping from signals to features of the music. Each row is one route from a signal to a
// feature.
import { useStores } from '../app/context';
import type { PresetFile, Route, Vocabulary } from '../api/types';
import { RouteRow } from './RouteRow';

/** Returns a new route to the first feature that has no route yet. The route uses the whole range
 *  of the feature. */
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
        <span>Value</span>
        <span>Input range</span>
        <span />
        <span>Feature</span>
        <span>Output range</span>
        <span>Curve</span>
        <span>Direction</span>
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
