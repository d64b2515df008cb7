// Tests the Machine view: it shows the engine's health and probes, and its buttons control the
// baseline and the scope.
export async function machine(kit) {
  const page = await kit.open('/machine');
  const health = await kit.api('/api/health');
  const text = await page.textContent('main');
  for (const what of [health.host.kernel, health.config_path, health.version]) kit.check(text.includes(what), `the view Machine shows ${what}`);
  const probes = await page.$$eval('.probes code', (all) => all.map((it) => it.textContent));
  kit.check(health.probes.every(({ name }) => probes.includes(name)), `all ${health.probes.length} probes are listed`);
  for (const { name, reason } of health.probes.filter((it) => !it.available)) kit.check(text.includes(reason), `the reason why ${name} is unavailable is shown`);

  const baseline = async () => (await kit.api('/api/health')).baseline;
  await page.click('#freeze');
  await kit.until('the baseline is frozen', async () => (await baseline()).frozen);
  await page.click('#freeze');
  await kit.until('the baseline learns again', async () => !(await baseline()).frozen);
  await page.click('#forget');
  await kit.axeFinds(page, 'the question whether to reset the baseline');
  await page.click('#forget-yes');
  await kit.until('the baseline is reset', async () => (await baseline()).learnt < 0.05);

  const scope = async () => (await kit.api('/api/health')).scope;
  await kit.fill(page, '#cgroup', 'khor-no-such.service');
  await kit.until('the scope is one unit', async () => (await kit.config()).bpf.cgroup === 'khor-no-such.service');
  await kit.until('a missing unit is an error', async () => (await scope()).error?.includes('no cgroup') || (await scope()));
  await kit.until('the error is shown with its fix', async () => (await page.textContent('.scope'))?.includes('no cgroup') && (await page.textContent('.scope .fix'))?.includes('bpf.cgroup'));
  await kit.axeFinds(page, 'a missing unit');
  await kit.shot(page, 'machine-scope');
  await kit.visit(page, 'Now');
  await kit.until('the view Now names the unit', async () => (await page.textContent('.say'))?.includes('khor-no-such.service') === true);
  await kit.visit(page, 'Machine');
  await page.click('#whole-machine');
  await kit.until('the scope is the whole machine again', async () => (await kit.config()).bpf.cgroup === '' && (await scope()).is_machine && (await scope()).ok);

  const doctor = await fetch(new URL('/api/doctor', kit.base));
  if (doctor.ok) {
    const { checks } = await doctor.json();
    await kit.until(`doctor's ${checks.length} checks are shown`, async () => (await page.locator('.doctor li').count()) === checks.length);
  } else await kit.until('an engine without doctor has no section Doctor', async () => (await page.locator('.doctor').count()) === 0);
  for (const href of await page.$$eval('.facts a', (all) => all.map((it) => it.getAttribute('href')))) {
    const answer = await fetch(new URL(href, kit.base));
    await answer.body?.cancel();
    kit.check(answer.ok, `${href} answers`);
  }
  await page.context().close();
}
