// Tests the Learn view: the tour advances by itself, and the quiz counts and explains answers.
async function tour(kit, page) {
  const muted = async () => (await kit.api('/api/metrics')).controls.muted;
  const step = () => page.getAttribute('.steps [aria-current]', 'aria-label');
  const first = await step();
  await page.click('#tour');
  await kit.until('the tour plays', async () => (await page.getAttribute('#tour', 'aria-pressed')) === 'true');
  await kit.until('the live music is muted during the tour', muted);
  await page.waitForTimeout(1500);
  await kit.axeFinds(page, 'the tour while it plays');
  await kit.shot(page, 'learn-tour');
  await page.click('#tour-next');
  await kit.until('the button Next skips a clip', async () => (await step()) !== first);
  const second = await step();
  await kit.until('the tour moves on by itself', async () => (await step()) !== second);
  await page.click('#tour');
  await kit.until('after the tour, the live music plays again', async () => !(await muted()));
  await page.click('#tour');
  await kit.until('the tour mutes the live music again', muted);
  await page.reload();
  await page.waitForSelector('#tour');
  await kit.until('a reload during the tour unmutes the live music', async () => !(await muted()));
}

async function quiz(kit, page, clips) {
  await page.click('#quiz-next');
  const choices = page.locator('.choices button');
  kit.check((await choices.count()) === Math.min(4, clips.length), 'the quiz offers four answers');
  await kit.until('a clip plays', async () => (await page.getAttribute('#quiz-replay', 'aria-pressed')) === 'true');
  // The page reveals the right answer only after the user has answered. This test always chooses
  // the first answer, so it almost certainly gives at least one wrong answer to eight questions.
  let wrong = false;
  for (let asked = 1; asked <= 8; asked++) {
    await choices.first().click();
    await kit.until(`answer ${asked} is counted`, async () => new RegExp(`of ${asked}\\b`).test((await page.textContent('#score-line')) ?? ''));
    if ((await page.getAttribute('.explanation', 'data-right')) === 'false' && !wrong) {
      wrong = true;
      await kit.until('a wrong answer is explained', async () => ((await page.textContent('.explanation')) ?? '').includes('Listen for:'));
      await kit.axeFinds(page, 'the quiz after a wrong answer');
      await kit.shot(page, 'learn-quiz');
    }
    await page.click('#quiz-next');
  }
  const line = await page.textContent('#score-line');
  await page.reload();
  await page.waitForSelector('#score-line');
  await kit.until('the score survives a reload', async () => (await page.textContent('#score-line')) === line);
}

export async function learn(kit) {
  const page = await kit.open('/');
  await kit.visit(page, 'Learn');
  const { clips } = await kit.api('/api/clips');
  await page.waitForSelector('#tour');
  await tour(kit, page);
  await quiz(kit, page, clips);
  await page.context().close();
}
