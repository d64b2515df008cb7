// The clips to learn from: short pieces of khor's own music, one for each scenario, listed beside the page.
export interface Clip {
  scenario: string;
  title: string;
  /** Beside the list. */
  file: string;
  seconds: number;
  listen_for: string;
}

export const FOLDER = '/clips/';

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
  const answer = await fetcher(`${FOLDER}index.json`);
  if (!answer.ok) return [];
  try {
    return clipsOf(await answer.json());
  } catch {
    return []; // a page instead of the list: an engine that answers every address with one
  }
}
