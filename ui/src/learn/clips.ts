// The clips to learn from: real captures, played by the engine in its own preset, one for each scenario.
import { at } from '../app/base';

export interface Clip {
  scenario: string;
  title: string;
  /** Its address. */
  file: string;
  seconds: number;
  listen_for: string;
}

function isClip(value: unknown): value is Clip {
  if (typeof value !== 'object' || value === null) return false;
  const clip = value as Partial<Record<keyof Clip, unknown>>;
  return [clip.scenario, clip.title, clip.file, clip.listen_for].every((it) => typeof it === 'string') && typeof clip.seconds === 'number' && clip.seconds > 0;
}

/** What of a list can be used; what is not a clip is left out. */
export function clipsOf(json: unknown): Clip[] {
  if (typeof json !== 'object' || json === null || !('clips' in json) || !Array.isArray(json.clips)) return [];
  return json.clips.filter(isClip);
}

export async function fetchClips(fetcher: typeof fetch = fetch): Promise<Clip[]> {
  const answer = await fetcher(at('/api/clips'));
  return answer.ok ? clipsOf(await answer.json()) : [];
}
