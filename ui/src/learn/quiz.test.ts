// Tests that the quiz chooses its questions fairly, counts the answers, and works with any list of
// clips.
import { describe, expect, it } from 'vitest';
import { clipsOf, fetchClips, type Clip } from './clips';
import { answered, NO_SCORE, question, scoreOf, weight } from './quiz';

const clip = (scenario: string): Clip => ({ scenario, title: scenario, file: `${scenario}.ogg`, seconds: 12, listen_for: 'x' });
const CLIPS = ['idle', 'compile', 'download', 'upload', 'disk'].map(clip);

/** Creates a random generator that returns the same numbers in each test run. */
function random(seed = 7) {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

describe('question', () => {
  it('offers four different answers', () => {
    const next = random();
    let previous: string | null = null;
    const places = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const asked = question(CLIPS, NO_SCORE, previous, next);
      if (asked === null) throw new Error('no question');
      expect(new Set(asked.choices).size).toBe(4);
      expect(asked.choices).toContain(asked.clip);
      expect(asked.clip.scenario).not.toBe(previous);
      places.add(asked.choices.indexOf(asked.clip));
      previous = asked.clip.scenario;
    }
    expect(places.size).toBe(4);
  });

  it('repeats scenarios with wrong answers more often', () => {
    const score = CLIPS.reduce((it, { scenario }) => answered(it, scenario, scenario !== 'disk'), NO_SCORE);
    const next = random(11);
    const asked = Array.from({ length: 700 }, () => question(CLIPS, score, null, next)?.clip.scenario);
    const count = (scenario: string) => asked.filter((it) => it === scenario).length;
    expect(count('disk')).toBeGreaterThan(2 * count('idle'));
  });

  it('needs at least two clips', () => {
    expect(question([], NO_SCORE, null, random())).toBeNull();
    expect(question([clip('idle')], NO_SCORE, null, random())).toBeNull();
    expect(question(CLIPS.slice(0, 2), NO_SCORE, 'idle', random())?.choices).toHaveLength(2);
  });
});

describe('score', () => {
  it('counts answers and streaks', () => {
    const score = [true, true, false, true].reduce((it, right) => answered(it, 'disk', right), NO_SCORE);
    expect(score).toMatchObject({ asked: 4, right: 3, streak: 1, best: 2, answers: { disk: [true, true, false, true] } });
  });

  it('can be stored, and ignores invalid text', () => {
    const score = answered(NO_SCORE, 'idle', true);
    expect(scoreOf(JSON.stringify(score))).toEqual(score);
    for (const text of [null, '', 'null', '7', '{"asked":"many"}']) expect(scoreOf(text)).toEqual(NO_SCORE);
  });

  it('weighs new scenarios like wrong answers', () => expect([weight(undefined), weight([false]), weight([true]), weight([true, false])]).toEqual([3, 3, 1, 2]));
});

describe('clips', () => {
  const fetching = (status: number, body: string) => fetchClips(() => Promise.resolve(new Response(body, { status })));

  it('ignores entries that are not clips', () => {
    expect(clipsOf({ clips: [CLIPS[0], { scenario: 'x' }, null] })).toEqual([CLIPS[0]]);
    expect(clipsOf('<html>')).toEqual([]);
  });

  it('is empty without a list', async () => {
    expect(await fetching(404, '{"ok":false}')).toEqual([]);
    expect(await fetching(200, JSON.stringify({ clips: CLIPS }))).toHaveLength(5);
  });
});
