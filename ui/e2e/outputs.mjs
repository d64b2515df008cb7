// Tests the Outputs view: every setting reaches the engine's config, and the page plays and records
// the engine's sound.
async function sound(kit, page) {
  await kit.slides(page, '#gain', 'volume', (config) => config.audio.master_gain);
  await kit.picks(page, '#device', 'sound device', (config) => config.audio.device);
  await kit.picks(page, '#loudness', 'loudness', (config) => config.audio.loudness_lufs);
  await kit.flips(page, '#feature-audio', 'sound', (config) => config.features.audio);
  await kit.until('the sound device is open again', async () => (await kit.api('/api/health')).audio.ok);
  await page.click('#snooze-15');
  await kit.until('a snooze mutes', async () => (await kit.api('/api/metrics')).controls.muted);
  await kit.until('the page shows the snooze', async () => (await page.textContent('#silence-state'))?.startsWith('Snoozed until'));
  await page.click('#outputs-mute');
  await kit.until('the mute button mutes during a snooze', async () => (await kit.api('/api/metrics')).controls.silence?.reason === 'muted');
  await kit.until('the page shows the mute', async () => (await page.getAttribute('#outputs-mute', 'aria-pressed')) === 'true');
  await page.click('#outputs-mute');
  await kit.until('unmuting ends the snooze', async () => (await kit.api('/api/metrics')).controls.snoozed_until_ts_ms === null);
  for (const [selector, path] of [['#test-note', '/api/actions/test_note'], ['#panic', '/api/actions/panic']]) {
    // Wait for a successful answer of the engine. If the answer is an error, `kit.open` has
    // registered a handler that records the failure.
    await Promise.all([page.waitForResponse((answer) => new URL(answer.url()).pathname === path && answer.ok()), page.click(selector)]);
    kit.check(true, `${path} is answered`);
  }
}

async function midiAndOsc(kit, page) {
  const fills = async (selector, what, read, value) =>
    kit.changes(what, read, value, () => kit.fill(page, selector, value), (old) => kit.fill(page, selector, old));
  await kit.flips(page, '#feature-midi', 'MIDI', (config) => config.features.midi);
  await kit.flips(page, '#midi-clock', 'MIDI clock', (config) => config.midi.clock);
  await fills('#midi-port', 'MIDI port', (config) => config.midi.port, 'khor-test');
  await fills('#midi-channel', 'MIDI channel', (config) => config.midi.channel, 7);
  await fills('#osc-host', 'OSC host', (config) => config.osc.host, '127.0.0.2');
  await fills('#osc-port', 'OSC port', (config) => config.osc.port, 9123);
  await kit.changes('OSC targets', (config) => config.osc.targets, ['127.0.0.1:9124', '[::1]:9125'], () => kit.fill(page, '#osc-targets', '127.0.0.1:9124\n[::1]:9125\n'), (old) => kit.fill(page, '#osc-targets', old.join('\n')));
  await kit.flips(page, '#feature-osc', 'OSC', (config) => config.features.osc);
  await fills('#osc-receive-port', 'OSC port to receive on', (config) => config.osc.receive.port, 9126);
  await kit.flips(page, '#osc-receive', 'OSC receiving', (config) => config.osc.receive.enabled);
}

/** Checks that quiet hours mute the sound, and that the page shows them. Then switches the desktop
 *  features and checks that the page shows their state. */
async function desktop(kit, page) {
  const time = (minutes) => new Date(Date.now() + minutes * 60_000).toTimeString().slice(0, 5);
  const [from, to] = [time(-60), time(60)];
  const controls = async () => (await kit.api('/api/metrics')).controls;
  const fills = async (selector, what, read, value) =>
    kit.changes(what, read, value, () => kit.fill(page, selector, value), (old) => kit.fill(page, selector, old));
  await fills('#quiet-from', 'start of quiet hours', (config) => config.quiet.from, from);
  await fills('#quiet-to', 'end of quiet hours', (config) => config.quiet.to, to);
  await kit.fill(page, '#quiet-from', from);
  await kit.until('quiet hours start an hour ago', async () => (await kit.api('/api/config')).quiet.from === from);
  await kit.fill(page, '#quiet-to', to);
  await kit.until('quiet hours end in an hour', async () => (await kit.api('/api/config')).quiet.to === to);
  await page.click('#quiet');
  await kit.until('quiet hours mute', async () => (await controls()).muted && (await controls()).quiet_until_ts_ms > Date.now());
  await kit.until('the page shows the quiet hours', async () => (await page.textContent('#silence-state'))?.startsWith('Quiet hours until'));
  await page.click('#outputs-sound');
  await kit.until('the user can unmute during quiet hours', async () => !(await controls()).muted);
  await page.click('#quiet');
  await kit.until('quiet hours can be switched off', async () => !(await kit.api('/api/config')).quiet.enabled);

  for (const part of ['mpris', 'notifications', 'bus']) await kit.flips(page, `#desktop-${part}`, `desktop: ${part}`, (config) => config.desktop[part]);
  await page.click('#desktop-bus');
  const state = async () => (await page.textContent('section[aria-labelledby=desktop-title] .part-state')) ?? '';
  await kit.until('the page shows the state of D-Bus', async () => {
    const { ok, error } = (await kit.api('/api/health')).desktop;
    return (ok && (await state()).includes('D-Bus')) || (error !== null && (await state()).includes(error));
  }, 15_000);
  await page.click('#desktop-bus');
  await kit.until('D-Bus can be switched off', async () => !(await kit.api('/api/config')).desktop.bus);
}

/** Checks that the sound has no gaps for four seconds. Makes several attempts, because the browser
 *  may be late while all CPUs are busy. */
async function playsWithoutGaps(kit, page, state) {
  const words = /^\d{2,3} ms delay, (no|\d+) gaps?$/;
  let text = '';
  for (let tries = 0; tries < 5; tries++) {
    const before = words.exec((await state()) ?? '')?.[1];
    await page.waitForTimeout(4000);
    text = (await state()) ?? '';
    if (before !== undefined && words.exec(text)?.[1] === before) break;
    text = `${text}, after ${before} gaps`;
  }
  kit.check(words.test(text), `the sound plays without gaps (${text})`);
}

/** Plays the engine's sound in the browser, records it, and downloads the recording. */
async function listen(kit, page) {
  await page.click('#listen');
  const state = () => page.textContent('#listen-state');
  await kit.until('the browser plays the engine’s sound', async () => /^\d+ ms delay/.test((await state()) ?? '') || (await state()));
  await playsWithoutGaps(kit, page, state);
  await kit.until('the engine counts one listener', async () => (await kit.api('/api/health')).listen.listeners === 1);

  await page.click('#record');
  await kit.until('a recording starts', async () => (await page.getAttribute('#record', 'aria-pressed')) === 'true');
  await kit.until('the recording has two seconds', async () => (await kit.api('/api/recording')).seconds >= 2);
  await kit.shot(page, 'outputs-listening');
  await page.click('#record');
  await kit.until('the recording can be downloaded', async () => {
    const file = await page.locator('.files a').first().getAttribute('href', { timeout: 500 }).catch(() => null);
    if (file === null) return false;
    const bytes = new Uint8Array(await (await fetch(new URL(file, kit.base))).arrayBuffer());
    return String.fromCharCode(...bytes.slice(0, 4)) === 'fLaC' && bytes.length > 10_000;
  });
  await kit.visit(page, 'Now');
  await kit.until('the sound continues in another view', async () => (await page.getAttribute('#listen', 'aria-pressed')) === 'true');
  await page.click('#listen');
  await kit.until('the engine counts no listener', async () => (await kit.api('/api/health')).listen.listeners === 0);
}

export async function outputs(kit) {
  const page = await kit.open('/');
  await kit.visit(page, 'Outputs');
  await sound(kit, page);
  await midiAndOsc(kit, page);
  await desktop(kit, page);
  await listen(kit, page);
  await page.context().close();
}
