// Fetches the clips for tour and quiz: one for each scenario. The engine renders them from real
// captures with its current preset.
import { at } from '../app/base';

export interface Clip {
  scenario: string;
  title: string;
  /** Address of the sound. */
  file: string;
  seconds: number;
  listen_for: string;
}

function isClip(value: unknown): value is Clip {
  if (typeof value !== 'object' || value === null) return false;
  const clip = value as Partial<Record<keyof Clip, unknown>>;
  return [clip.scenario, clip.title, clip.file, clip.listen_for].every((it) => typeof it === 'string') && typeof clip.seconds === 'number' && clip.seconds > 0;
}

/** The clips of the API's answer. Ignores entries that are not clips. */
export function clipsOf(json: unknown): Clip[] {
  if (typeof json !== 'object' || json === null || !('clips' in json) || !Array.isArray(json.clips)) return [];
  return json.clips.filter(isClip);
}

/** The engine's clips; none if the engine has no such list. */
export async function fetchClips(fetcher: typeof fetch = fetch): Promise<Clip[]> {
  const answer = await fetcher(at('/api/clips'));
  return answer.ok ? clipsOf(await answer.json()) : [];
}
