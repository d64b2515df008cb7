// The Machine view: it shows what the engine says of itself, and the baseline obeys.
export async function machine(kit) {
  const page = await kit.open('/machine');
  const health = await kit.api('/api/health');
  const text = await page.textContent('main');
  for (const what of [health.host.kernel, health.config_path, health.version]) kit.check(text.includes(what), `the machine view shows ${what}`);
  const probes = await page.$$eval('.probes code', (all) => all.map((it) => it.textContent));
  kit.check(health.probes.every(({ name }) => probes.includes(name)), `all ${health.probes.length} probes are listed`);
  for (const { name, reason } of health.probes.filter((it) => !it.available)) kit.check(text.includes(reason), `why ${name} is absent is said`);

  const baseline = async () => (await kit.api('/api/health')).baseline;
  await page.click('#freeze');
  await kit.until('the baseline freezes', async () => (await baseline()).frozen);
  await page.click('#freeze');
  await kit.until('and learns again', async () => !(await baseline()).frozen);
  await page.click('#forget');
  await kit.axeFinds(page, 'the question whether to forget');
  await page.click('#forget-yes');
  await kit.until('it forgets', async () => (await baseline()).learnt < 0.05);

  const scope = async () => (await kit.api('/api/health')).scope;
  await kit.fill(page, '#cgroup', 'khor-no-such.service');
  await kit.until('a unit is heard alone', async () => (await kit.config()).bpf.cgroup === 'khor-no-such.service');
  await kit.until('that it is not there is said', async () => (await scope()).error?.includes('no cgroup') || (await scope()));
  await kit.until('and shown with its fix', async () => (await page.textContent('.scope'))?.includes('no cgroup') && (await page.textContent('.scope .fix'))?.includes('bpf.cgroup'));
  await kit.axeFinds(page, 'a unit that is not there');
  await kit.shot(page, 'machine-scope');
  await kit.visit(page, 'Now');
  await kit.until('the sentence says whose sound it is', async () => (await page.textContent('.say'))?.includes('khor-no-such.service') === true);
  await kit.visit(page, 'Machine');
  await page.click('#whole-machine');
  await kit.until('and the whole machine again', async () => (await kit.config()).bpf.cgroup === '' && (await scope()).is_machine && (await scope()).ok);

  const doctor = await fetch(new URL('/api/doctor', kit.base));
  if (doctor.ok) {
    const { checks } = await doctor.json();
    await kit.until(`doctor's ${checks.length} checks are shown`, async () => (await page.locator('.doctor li').count()) === checks.length);
  } else await kit.until('without a doctor there is no doctor’s section', async () => (await page.locator('.doctor').count()) === 0);
  for (const href of await page.$$eval('.facts a', (all) => all.map((it) => it.getAttribute('href')))) {
    const answer = await fetch(new URL(href, kit.base));
    await answer.body?.cancel();
    kit.check(answer.ok, `${href} answers`);
  }
  await page.context().close();
}
