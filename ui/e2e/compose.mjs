// Tests the Compose view: the musical settings, the presets, and the preset editor with preview,
// undo, save and delete.
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
  await kit.until('a second tab shows the change', async () => Number(await other.inputValue('#density')) / 100 === density);
  await other.locator('#density').press('ArrowLeft');
  await kit.until('the second tab can change it back', async () => Math.abs((await kit.config()).music.density - before.music.density) < 0.006);
  await other.context().close();
}

/** Checks that the page reverts a rejected value and shows the engine's error next to the field. */
async function reject(kit) {
  const context = await kit.browser.newContext();
  const page = await context.newPage();
  await page.goto(new URL('/compose', kit.base).href);
  await page.waitForSelector('#bpm:not([disabled])');
  const before = (await kit.config()).music.bpm;
  await kit.fill(page, '#bpm', 999);
  await kit.until('a rejected tempo shows the error', async () => /bpm/.test((await page.textContent('#bpm-error')) ?? ''));
  await kit.until('a rejected tempo is reverted', async () => (await page.inputValue('#bpm')) === String(before));
  kit.check((await kit.config()).music.bpm === before, 'a rejected tempo does not reach the config');
  await context.close();
}

async function choose(kit, page) {
  const { presets, current } = await kit.api('/api/presets');
  const other = presets.find((it) => it.name !== current).name;
  const playing = async () => (await kit.api('/api/metrics')).controls.preset;
  await page.check(`#preset-${other}`, { force: true });
  await kit.until(`preset ${other} plays`, async () => (await playing()) === other);
  await kit.until('the editor shows the selected preset', async () => (await page.textContent('#mapping-title')).includes(other));
  await page.check(`#preset-${current}`, { force: true });
  await kit.until('the old preset plays again', async () => (await kit.config()).music.preset === current);
  await kit.until('the editor shows the old preset again', async () => (await page.textContent('#mapping-title')).includes(current));
}

async function edit(kit, page) {
  const name = (await kit.api('/api/presets')).current;
  const previewing = async () => (await kit.api('/api/presets')).previewing;
  const row = page.locator('.route[data-route="0"]');
  const high = row.locator('[name="range-high"]');
  await high.waitFor();
  const before = await high.inputValue();

  await high.fill('99');
  await kit.until('a range beyond the limits shows an error in its row', async () => ((await row.locator('.refusal').textContent()) ?? '') !== '');
  await kit.until('a preset with errors cannot be saved', async () => await page.isDisabled('#save'));
  await kit.until('a preset with errors has no preview', async () => await page.isDisabled('#preview'));
  await kit.axeFinds(page, 'compose with a problem');
  await kit.shot(page, 'compose-problem');
  await page.click('#undo');
  await kit.until('undo restores the old range', async () => (await high.inputValue()) === before);
  await kit.until('the error disappears', async () => (await row.locator('.refusal').textContent()) === '');
  await page.click('#redo');
  kit.check((await high.inputValue()) === '99', 'redo restores the edited range');
  await page.click('#revert');
  kit.check((await high.inputValue()) === before, 'revert restores the saved range');

  await row.locator('[name="curve"]').selectOption('square');
  await page.click('#preview');
  await kit.until('the preview plays', async () => (await previewing()) === name || (await previewing()));
  await page.reload();
  await kit.ready(page);
  await kit.until('after a reload, the page names the preset of the preview', async () => ((await page.textContent('.unsaved').catch(() => '')) ?? '').includes(name));
  await kit.until('after a reload, the editor has the unsaved changes', async () => (await row.locator('[name="curve"]').inputValue()) === 'square');
  await kit.shot(page, 'compose-unsaved');
  await page.click('#end-preview');
  await kit.until('the list of presets ends the preview', async () => (await previewing()) === null);
  await page.click('#preview');
  await kit.until('the preview starts again', async () => (await previewing()) === name);
  await page.click('#preview');
  await kit.until('the editor ends the preview', async () => (await previewing()) === null);

  await page.fill('#save-name', 'No Good');
  await kit.until('an invalid name is rejected', async () => await page.isDisabled('#save'));
  await page.fill('#save-name', name);
  await kit.until('a built-in preset cannot be overwritten', async () => await page.isDisabled('#save'));
  await page.fill('#save-name', NAME);
  await page.click('#save');
  await kit.until('the preset is saved under a new name', async () => (await kit.api(`/api/presets/${NAME}`)).preset?.map?.[0]?.curve === 'square');
  await kit.until('the saved preset plays', async () => (await kit.api('/api/presets')).current === NAME);
  kit.check((await kit.api(`/api/presets/${name}`)).preset.map[0].curve !== 'square', 'the built-in preset has not changed');

  const swing = page.locator('#swing');
  await kit.until('the editor shows the saved preset', async () => (await page.textContent('#mapping-title')).includes(NAME));
  await swing.press('ArrowRight');
  await kit.until('the changed swing has no problems', async () => (await page.textContent('#mapping-title')).includes('no problems'));
  await page.click('#save');
  await kit.until('a user’s preset can be overwritten', async () => ((await kit.api(`/api/presets/${NAME}`)).preset.swing ?? 0) > 0);

  await page.check(`#preset-${name}`, { force: true });
  await kit.until('the built-in preset plays again', async () => (await kit.api('/api/presets')).current === name);
  await page.click(`[data-delete="${NAME}"]`);
  await page.click(`button:text-is("Delete ${NAME}")`);
  await kit.until('a user’s preset can be deleted', async () => !(await kit.api('/api/presets')).presets.some((it) => it.name === NAME));
}

export async function compose(kit) {
  const page = await kit.open('/');
  await kit.visit(page, 'Compose');
  await settings(kit, page);
  await choose(kit, page);
  await edit(kit, page);
  await page.context().close();
  await reject(kit);
}
