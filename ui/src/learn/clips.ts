// Fetches the sound clips of the tour and the quiz. There is one clip for each scenario. The engine
// renders the clips from real captures with its current preset.
import { at } from '../app/base';

export interface Clip {
  scenario: string;
  title: string;
  /** URL of the sound file, without the base path. */
  file: string;
  seconds: number;
  listen_for: string;
}

function isClip(value: unknown): value is Clip {
  if (typeof value !== 'object' || value === null) return false;
  const clip = value as Partial<Record<keyof Clip, unknown>>;
  return [clip.scenario, clip.title, clip.file, clip.listen_for].every((it) => typeof it === 'string') && typeof clip.seconds === 'number' && clip.seconds > 0;
}

/** Returns the clips in an answer of the API. Ignores entries that are not valid clips. */
export function clipsOf(json: unknown): Clip[] {
  if (typeof json !== 'object' || json === null || !('clips' in json) || !Array.isArray(json.clips)) return [];
  return json.clips.filter(isClip);
}

/** Fetches the engine's clips. Returns an empty list if the engine offers no clips. */
export async function fetchClips(fetcher: typeof fetch = fetch): Promise<Clip[]> {
  const answer = await fetcher(at('/api/clips'));
  return answer.ok ? clipsOf(await answer.json()) : [];
}
