// Tests that every failed request throws an ApiError with a readable message.
import { describe, expect, it } from 'vitest';
import { ApiError, Client } from './client';

const answering = (status: number, body: string) => new Client(() => Promise.resolve(new Response(body, { status })));
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('should have failed');
    },
    (error: unknown) => error,
  );

describe('Client', () => {
  it('has the engine’s error message', async () => {
    const error = await failure(answering(400, '{"ok":false,"error":"music.bpm: 999 is outside 20..300"}').patchConfig({ music: { bpm: 999 } }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, message: 'music.bpm: 999 is outside 20..300' });
  });

  it('names the request without an error message', async () => {
    expect(await failure(answering(500, '{}').health())).toMatchObject({ message: 'GET /api/health: HTTP 500' });
    expect(await failure(answering(502, '<html>').health())).toMatchObject({ status: 502, message: /not JSON/ });
  });

  it('reports a missing answer', async () => {
    const client = new Client(() => Promise.reject(new TypeError('fetch failed')));
    expect(await failure(client.config())).toMatchObject({ status: 0, message: 'the engine is not answering' });
  });

  it('sends method, path and body', async () => {
    const seen: unknown[] = [];
    const client = new Client((url, init) => {
      seen.push([init?.method, url, init?.body]);
      return Promise.resolve(new Response('{"ok":true}'));
    });
    await client.selectPreset('a b');
    await client.mute(true);
    await client.selectDevice('');
    expect(seen).toEqual([
      ['POST', '/api/preset/select?name=a%20b', undefined],
      ['POST', '/api/actions/mute?on=true', undefined],
      ['POST', '/api/audio/device', '{"device":""}'],
    ]);
  });
});
