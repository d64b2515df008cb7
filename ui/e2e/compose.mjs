// The Compose view: music settings, presets, and the mapping edited, checked, heard, undone, saved and deleted.
const NAME = 'page-test';

async function settings(kit, page) {
  const before = await kit.config();
  const bpm = before.music.bpm === 96 ? 97 : 96;
  await kit.changes('tempo', (config) => config.music.bpm, bpm, () => kit.fill(page, '#bpm', bpm), (old) => kit.fill(page, '#bpm', old));
  await kit.picks(page, '#key', 'key', (config) => config.music.key_midi);
  await kit.picks(page, '#scale', 'scale', (config) => config.music.scale);
  await kit.slides(page, '#smoothing', 'smoothing', (config) => config.music.smoothing);

  const other = await kit.open('/compose');
  await page.locator('#density').press('ArrowRight');
  const density = Number(await page.inputValue('#density')) / 100;
  await kit.until(`density ${density} reaches the config by keyboard`, async () => (await kit.config()).music.density === density);
  await kit.until('a second tab keeps in step', async () => Number(await other.inputValue('#density')) / 100 === density);
  await other.locator('#density').press('ArrowLeft');
  await kit.until('and changes it back, though the first changed the config', async () => Math.abs((await kit.config()).music.density - before.music.density) < 0.006);
  await other.context().close();
}

/** A refused value is put back, with the engine's own words beside the control. */
async function refuse(kit) {
  const context = await kit.browser.newContext();
  const page = await context.newPage();
  await page.goto(new URL('/compose', kit.base).href);
  await page.waitForSelector('#bpm:not([disabled])');
  const before = (await kit.config()).music.bpm;
  await kit.fill(page, '#bpm', 999);
  await kit.until('a refused tempo shows why', async () => /bpm/.test((await page.textContent('#bpm-error')) ?? ''));
  await kit.until('a refused tempo is put back', async () => (await page.inputValue('#bpm')) === String(before));
  kit.check((await kit.config()).music.bpm === before, 'a refused tempo changes nothing');
  await context.close();
}

async function choose(kit, page) {
  const { presets, current } = await kit.api('/api/presets');
  const other = presets.find((it) => it.name !== current).name;
  const playing = async () => (await kit.api('/api/metrics')).controls.preset;
  await page.check(`#preset-${other}`, { force: true });
  await kit.until(`preset ${other} reaches the music`, async () => (await playing()) === other);
  await kit.until('the editor shows it', async () => (await page.textContent('#mapping-title')).includes(other));
  await page.check(`#preset-${current}`, { force: true });
  await kit.until('the old preset is back', async () => (await kit.config()).music.preset === current);
  await kit.until('in the editor too', async () => (await page.textContent('#mapping-title')).includes(current));
}

async function edit(kit, page) {
  const name = (await kit.api('/api/presets')).current;
  const previewing = async () => (await kit.api('/api/presets')).previewing;
  const row = page.locator('.route[data-route="0"]');
  const high = row.locator('[name="range-high"]');
  await high.waitFor();
  const before = await high.inputValue();

  await high.fill('99');
  await kit.until('a range beyond the feature’s bounds is said at its row', async () => ((await row.locator('.refusal').textContent()) ?? '') !== '');
  await kit.until('what is wrong cannot be saved', async () => await page.isDisabled('#save'));
  await kit.until('nor heard', async () => await page.isDisabled('#preview'));
  await kit.axeFinds(page, 'compose with a problem');
  await kit.shot(page, 'compose-problem');
  await page.click('#undo');
  await kit.until('undo takes it back', async () => (await high.inputValue()) === before);
  await kit.until('and the problem is gone', async () => (await row.locator('.refusal').textContent()) === '');
  await page.click('#redo');
  kit.check((await high.inputValue()) === '99', 'redo brings it again');
  await page.click('#revert');
  kit.check((await high.inputValue()) === before, 'as saved is as saved');

  await row.locator('[name="curve"]').selectOption('square');
  await page.click('#preview');
  await kit.until('the edited preset is heard', async () => (await previewing()) === name || (await previewing()));
  await page.reload();
  await kit.ready(page);
  await kit.until('after a reload the page names the unsaved preset that plays', async () => ((await page.textContent('.unsaved').catch(() => '')) ?? '').includes(name));
  await kit.until('and it is the draft again', async () => (await row.locator('[name="curve"]').inputValue()) === 'square');
  await kit.shot(page, 'compose-unsaved');
  await page.click('#end-preview');
  await kit.until('the preview can be ended there', async () => (await previewing()) === null);
  await page.click('#preview');
  await kit.until('and started again', async () => (await previewing()) === name);
  await page.click('#preview');
  await kit.until('and no more', async () => (await previewing()) === null);

  await page.fill('#save-name', 'No Good');
  await kit.until('a name that is none is refused', async () => await page.isDisabled('#save'));
  await page.fill('#save-name', name);
  await kit.until('a built-in preset is not overwritten', async () => await page.isDisabled('#save'));
  await page.fill('#save-name', NAME);
  await page.click('#save');
  await kit.until('it is saved under a new name', async () => (await kit.api(`/api/presets/${NAME}`)).preset?.map?.[0]?.curve === 'square');
  await kit.until('and played', async () => (await kit.api('/api/presets')).current === NAME);
  kit.check((await kit.api(`/api/presets/${name}`)).preset.map[0].curve !== 'square', 'the built-in one is as it was');

  const swing = page.locator('#swing');
  await kit.until('the editor shows the new one', async () => (await page.textContent('#mapping-title')).includes(NAME));
  await swing.press('ArrowRight');
  await kit.until('all in order', async () => (await page.textContent('#mapping-title')).includes('all in order'));
  await page.click('#save');
  await kit.until('one’s own is saved over', async () => ((await kit.api(`/api/presets/${NAME}`)).preset.swing ?? 0) > 0);

  await page.check(`#preset-${name}`, { force: true });
  await kit.until('the built-in one plays again', async () => (await kit.api('/api/presets')).current === name);
  await page.click(`[data-delete="${NAME}"]`);
  await page.click(`button:text-is("Delete ${NAME}")`);
  await kit.until('one’s own can be deleted', async () => !(await kit.api('/api/presets')).presets.some((it) => it.name === NAME));
}

export async function compose(kit) {
  const page = await kit.open('/');
  await kit.visit(page, 'Compose');
  await settings(kit, page);
  await choose(kit, page);
  await edit(kit, page);
  await page.context().close();
  await refuse(kit);
}
