// The owner's lists and plots with many sessions, events and gaps, and what the server leaves on the disk.

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page, Response } from 'playwright-core';
import { eventually, launch, skip as noBrowser } from './browser';
import { noProgram } from './program';
import { RemoteSession, click, reading } from './requests';
import { PASSWORD, PICTURES, browser, login, program, withServer } from './served';

const skip = noBrowser || noProgram();
withServer(skip, () => launch(), (server) => {
  server.own(PASSWORD);
  return ['--starts-per-address', '100000', '--sessions-per-address', '100000', '--sessions-per-key', '100000'];
});

/** The dashboard shows so many sessions, and so many events, at first. */
const [SESSIONS_PAGE, EVENTS_PAGE] = [100, 500];
const ORIGIN = 'https://shop.example';

const owned = async (work: (owner: Page) => Promise<void>): Promise<void> => {
  const owner = await browser.newPage();
  const wrong: string[] = [];
  owner.on('pageerror', (error) => wrong.push(error.message));
  try {
    await owner.goto(program.url);
    await login(owner);
    await work(owner);
    assert.deepEqual(wrong, []);
  } finally {
    await owner.context().close();
  }
};

const rows = (owner: Page) => owner.locator('table.folds tbody tr');

test('a list of many sessions comes in pages, is searched and sorted, and only what has changed is fetched', { skip, timeout: 120_000 }, async () => {
  const key = program.key(ORIGIN);
  const number = SESSIONS_PAGE + 30;
  const sessions: RemoteSession[] = [];
  const begin = async () => { sessions.push(await RemoteSession.begin(program.url, key, ORIGIN)); };
  for (let k = 1; k < number; k++) await begin();
  await owned(async (owner) => {
    await owner.getByText(`${number - 1} sessions`).waitFor();
    assert.equal(await rows(owner).count(), SESSIONS_PAGE);
    // A change that arrives while the next page is on its way does not lose that page.
    await owner.route(/[?&]after=/, async (route) => {
      const update = owner.waitForResponse((response) => response.url().includes('since='));
      await begin();
      await (await update).finished();
      await route.continue();
    }, { times: 1 });
    await owner.getByRole('button', { name: 'Show more' }).click();
    await eventually('all sessions', async () => await rows(owner).count() === number);
    assert.ok(await owner.getByRole('button', { name: 'Show more' }).isHidden());
    const names = await rows(owner).locator('td:first-child').allTextContents();
    assert.equal(new Set(names).size, number, 'each of them once');

    // From now on, only what has changed.
    const answers: Response[] = [];
    owner.on('response', (response) => { if (new URL(response.url()).pathname === '/v1/library/sessions') answers.push(response); });
    const added = await RemoteSession.begin(program.url, key, ORIGIN);
    await eventually('the new session', async () => await rows(owner).count() === number + 1);
    assert.match((await rows(owner).first().textContent())!, new RegExp(added.participant));
    await sessions[0]!.finish({});
    const first = rows(owner).filter({ hasText: sessions[0]!.participant });
    await first.locator('.lamp.closed').waitFor();
    for (const response of answers) {
      const { is_update, sessions: sent } = await response.json() as { is_update: boolean; sessions: unknown[] };
      assert.deepEqual([is_update, sent.length <= 2], [true, true], response.url());
    }
    console.log(`${answers.length} updates of ${(await Promise.all(answers.map((answer) => answer.body()))).map((body) => body.length).join(', ')} bytes`);
    assert.ok(answers.length > 0);

    await owner.getByLabel('Search').fill(added.participant);
    await eventually('the search', async () => await rows(owner).count() === 1);
    await owner.getByLabel('Search').fill('');
    await owner.getByText(`${number + 1} sessions`).waitFor();
    await owner.getByLabel('Sort by').selectOption({ label: 'Oldest' });
    await eventually('the oldest first', async () => (await rows(owner).first().textContent())!.includes(sessions[0]!.participant));
  });
});

test('of many events the last are listed, and the earlier ones on request', { skip, timeout: 60_000 }, async () => {
  const session = await RemoteSession.begin(program.url, program.key(ORIGIN), ORIGIN);
  const number = 6000;
  for (let from = 0; from < number; from += 2000) {
    await session.records(Array.from({ length: 2000 }, (_, k) => click(from + k, 1 + from + k, `button#n${from + k}`)));
  }
  await session.finish({ page: number });
  const folder = program.recorded().find((s) => s.includes(`/${session.participant}/`))!;
  await eventually('the end', () => program.isClosed(folder), 40_000);
  await owned(async (owner) => {
    await owner.getByLabel('Search').fill(session.participant);
    await rows(owner).filter({ hasText: session.participant }).locator('a').click();
    const events = owner.locator('.events tbody tr');
    await events.first().waitFor();
    assert.equal(await events.count(), EVENTS_PAGE);
    assert.match((await events.first().textContent())!, new RegExp(`button#n${number - 1}$`));
    await owner.getByRole('button', { name: 'Earlier events' }).click();
    await eventually('the earlier ones', async () => await events.count() === 2 * EVENTS_PAGE);
    await owner.getByLabel('Search events').fill('button#n7');
    await eventually('the search over all', async () => (await events.allTextContents()).some((text) => text.endsWith('button#n7')));
  });
});

/** Colours of the plot's pixels that cover more than one part in a hundred of it. */
const COLOURS = `(() => {
  const canvas = document.querySelector('.plot canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const counts = {};
  for (let k = 0; k < data.length; k += 4) {
    const colour = data.slice(k, k + 4).join();
    counts[colour] = (counts[colour] ?? 0) + 1;
  }
  return Object.entries(counts).filter(([, n]) => n > data.length / 400).map(([colour]) => colour);
})()`;

test('a minute of skipped frames is one faint shade', { skip, timeout: 60_000 }, async () => {
  const session = await RemoteSession.begin(program.url, program.key(ORIGIN), ORIGIN, { camera: 'scores' });
  // Ten readings a second, and a gap of skipped frames before each of them, as from a slow computer.
  const records = Array.from({ length: 590 }, (_, k) => [
    { stream: 'affect', seq: 2 * k, document: 1, page_ms: 100 * k + 30, gap: { until_ms: 100 * k + 90, reason: 'skipped', lost: 2, note: '' } },
    reading(2 * k + 1, 100 * k + 95, Math.sin(k / 40), Math.cos(k / 40)),
  ]).flat();
  await session.records(records);
  await session.finish({ affect: records.length });
  const folder = program.recorded().find((s) => s.includes(`/${session.participant}/`))!;
  await eventually('the end', () => program.isClosed(folder), 40_000);
  await owned(async (owner) => {
    await owner.getByLabel('Search').fill(session.participant);
    await rows(owner).filter({ hasText: session.participant }).locator('a').click();
    await owner.locator('.plot canvas').waitFor();
    await owner.waitForTimeout(500);
    await owner.screenshot({ path: join(PICTURES, 'dashboard_skipped.png'), fullPage: true });
    const colours = await owner.evaluate(COLOURS) as string[];
    console.log(`large areas: ${colours.join('; ')}`);
    // The lines have no transparency. A shade over another one would be darker.
    const shades = colours.filter((colour) => ![0, 255].includes(Number(colour.split(',')[3])));
    assert.deepEqual(shades, ['0,0,0,18']);
    await owner.getByText('Frames not scored, no picture is stored').waitFor();
    const lost = owner.locator('dl div', { hasText: 'Frames lost' }).locator('dd');
    assert.equal(await lost.textContent(), '0', 'skipped frames are not lost');
  });
});

test('all files and folders of the server are for its owner only', { skip }, () => {
  const root = program.sessions;
  const wrong = (readdirSync(root, { recursive: true }) as string[]).filter((name) => !name.startsWith('studies')).map((name) => join(root, name))
    .map((path) => ({ path, mode: (statSync(path).mode & 0o777).toString(8), isFolder: statSync(path).isDirectory() }))
    .filter(({ mode, isFolder }) => mode !== (isFolder ? '700' : '600'));
  assert.deepEqual(wrong, []);
  assert.ok(program.recorded().length > 100);
});
