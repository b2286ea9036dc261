// The server's limits as visitors, the owner and attackers meet them: silent sessions, full studies, quotas, logins, and cells
// that a spreadsheet would run. Each test has a server of its own.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { accept, dialog, eventually, launch, site, skip as noBrowser } from './browser';
import { pictures } from './pictures';
import { Program, noProgram, query } from './program';
import { RemoteSession, newSession, send } from './requests';
import { PASSWORD, login, temporaryFolder } from './served';
import { together } from './together';
import { type State, hasDialog, started } from './visit';

const { add: test, run } = together('the limits of the server', 4);

const skip = noBrowser || noProgram();
const folder = temporaryFolder();
let browser: Browser;
before(async () => {
  if (!skip) browser = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
});
after(async () => { if (!skip) await browser.close(); });

const PAGE = (server: string, key: string, options: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<button id="buy">Buy now</button> <textarea id="note"></textarea>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', ${options} });
  let marks = 0;
  const started = recorder.start().then((state) => {
    setInterval(() => recorder.mark('m', marks++), 100);
    return state;
  });
</script>`;

interface Setting {
  server: Program;
  /** Where the page is, and its write key. */
  url: string;
  key: string;
  /** A browser of one more person. */
  person(): Promise<{ context: BrowserContext; page: Page }>;
}

/** A server with these options of `serve`, and a page that records for it. */
const at = async (serve: string[], options: string, work: (setting: Setting) => Promise<void>): Promise<void> => {
  const server = new Program();
  server.own(PASSWORD);
  await server.start(...serve);
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  const key = server.key(shop.url);
  pages['/'] = PAGE(server.url, key, options);
  const contexts: BrowserContext[] = [];
  const errors: string[] = [];
  const person = async () => {
    const context = await browser.newContext();
    contexts.push(context);
    context.on('weberror', (error) => errors.push(error.error().message));
    return { context, page: await context.newPage() };
  };
  try {
    await work({ server, url: shop.url, key, person });
    assert.deepEqual(errors, [], 'no error reaches a page');
  } finally {
    for (const context of contexts) await context.close();
    shop.close();
    await server.kill9();
    server.remove();
  }
};

const stop = (page: Page) => page.evaluate('recorder.stop()') as Promise<State>;
const count = (session: string, kind: string) => query<{ n: number }>(session, `SELECT count(*) AS n FROM event WHERE kind = '${kind}'`)[0]!.n;
const frames = (session: string) => query<{ n: number }>(session, 'SELECT count(*) AS n FROM frame')[0]!.n;

/** The session is intact, and has each mark of the page once. */
const isWhole = (server: Program, session: string, made: number): void => {
  assert.match(server.run('verify', session), /^intact$/m);
  const rows = query<{ seq: number; kind: string; data: string }>(session, "SELECT seq, kind, data FROM event WHERE stream = 'page' ORDER BY seq");
  assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));
  const marks = rows.filter((r) => r.kind === 'mark').map((r) => (JSON.parse(r.data) as { data: number }).data);
  assert.deepEqual(marks, marks.map((_, k) => k));
  assert.ok(marks.length >= made, `${marks.length} of ${made} marks`);
};

/** Another address of this computer than the browser's. */
const ATTACKER = '127.0.0.2';

test('a tab without network: its session is silent, then closed, and goes on', { skip, timeout: 150_000 }, () => at(
  ['--silent-min', '0.05', '--close-silent-min', '0.25'], 'consentGiven: true', async ({ server, url, person }) => {
    const owner = (await person()).page;
    await owner.goto(server.url);
    await login(owner);
    const visitor = await person();
    await visitor.page.goto(url);
    await started(visitor.page);
    const lamp = (state: string) => owner.locator(`.lamp.${state}`).waitFor({ timeout: 40_000 })
      .catch(async (error: unknown) => { throw new Error(`${state}: ${await owner.locator('table').innerText()}`, { cause: error }); });
    await lamp('recording');
    await visitor.context.setOffline(true);
    await lamp('silent');
    await visitor.context.setOffline(false);
    await lamp('recording');
    await visitor.context.setOffline(true);
    await lamp('closed');
    await visitor.context.setOffline(false);
    await lamp('recording');
    const made = await visitor.page.evaluate('marks') as number;
    assert.equal((await stop(visitor.page)).phase, 'finished');
    const [session, ...others] = server.recorded();
    assert.deepEqual(others, [], 'one session');
    await eventually('the end', () => server.isClosed(session!));
    isWhole(server, session!, made);
    assert.equal(count(session!, 'resumed'), 2);
  }));

test('the public key and a forged origin keep no visitor out; a full study says so before it asks', { skip, timeout: 90_000 }, () => at(
  ['--sessions-per-address', '3', '--sessions-per-key', '4'], 'camera: "off"', async ({ server, url, key, person }) => {
    const begin = () => send(server.url, { path: '/v1/sessions', token: key, origin: url, body: newSession(), from: ATTACKER });
    for (let k = 0; k < 3; k++) assert.equal((await begin()).status, 201);
    const refused = await begin();
    assert.equal(refused.status, 429);
    assert.match(refused.detail, /address/);

    const first = await person();
    await first.page.goto(url);
    await accept(first.page);
    assert.equal((await started(first.page)).phase, 'recording');
    const second = await person();
    await second.page.goto(url);
    const { phase, problem } = await started(second.page);
    assert.equal(phase, 'failed');
    assert.match(problem!, /largest number of open sessions/);
    assert.equal(await hasDialog(second.page), false, 'nobody is asked for a consent that leads to nothing');

    assert.equal((await stop(first.page)).phase, 'finished');
    const third = await person();
    await eventually('room', async () => {
      await third.page.goto(url);
      await third.page.waitForFunction('["asking", "failed"].includes(recorder.state.phase)');
      return await third.page.evaluate('recorder.state.phase') === 'asking';
    });
    await dialog(third.page);
  }));

test('with consent given, a full server and one that is away: start() and stop() end in time, and the recording begins later', { skip, timeout: 120_000 }, () => at(
  ['--sessions-per-key', '1'], 'consentGiven: true, camera: "off"', async ({ server, url, person }) => {
    const first = (await person()).page;
    await first.goto(url);
    assert.equal((await started(first)).phase, 'recording');
    const second = (await person()).page;
    await second.goto(url);
    const waiting = await started(second);
    assert.equal(waiting.phase, 'connecting');
    assert.match(waiting.problem!, /largest number of open sessions/);
    assert.equal((await stop(second)).phase, 'failed');
    assert.equal((await stop(first)).phase, 'finished');

    await server.kill9();
    const [third, fourth] = [(await person()).page, (await person()).page];
    for (const page of [third, fourth]) await page.goto(url);
    for (const page of [third, fourth]) {
      const { phase, problem } = await started(page);
      assert.equal(phase, 'connecting');
      assert.match(problem!, /server/);
    }
    assert.equal((await stop(fourth)).phase, 'failed');
    await server.start('--sessions-per-key', '1');
    await third.waitForFunction('recorder.state.phase === "recording"', null, { timeout: 60_000 });
    await third.evaluate('recorder.mark("begun")');
    assert.equal((await stop(third)).phase, 'finished');
    const sessions = server.recorded();
    assert.equal(sessions.length, 2, 'none of the pages that gave up');
    await eventually('the end', () => sessions.every((session) => server.isClosed(session)), 60_000);
    assert.ok(count(sessions[1]!, 'mark') > 0);
    for (const session of sessions) assert.match(server.run('verify', session), /^intact$/m);
  }));

test('a nearly full disk: visitors are told before they are asked, and the owner at once', { skip, timeout: 60_000 }, () => at(
  ['--min-free-gb', '1000000'], 'camera: "off"', async ({ server, url, person }) => {
    const visitor = (await person()).page;
    await visitor.goto(url);
    const { phase, problem } = await started(visitor);
    assert.equal(phase, 'failed');
    assert.match(problem!, /disk/);
    assert.equal(await hasDialog(visitor), false);
    const owner = (await person()).page;
    await owner.goto(server.url);
    await login(owner);
    await pictures(owner, 'alarm', (page) => page.locator('.alarms', { hasText: 'disk' }).waitFor());
  }));

test('a video over the quota ends, and the records go on', { skip, timeout: 90_000 }, () => at(
  ['--max-session-gb', '0.0003'], 'consentGiven: true, camera: "video"', async ({ server, url, person }) => {
    const { page } = await person();
    const warnings: string[] = [];
    page.on('console', (message) => { if (message.type() === 'warning') warnings.push(message.text()); });
    await page.goto(url);
    await started(page);
    await eventually('the refusal', () => warnings.some((text) => text.includes('the server refused data')), 40_000);
    await page.waitForTimeout(1500);
    const made = await page.evaluate('marks') as number;
    const { phase, problem } = await stop(page);
    assert.deepEqual([phase, problem], ['finished', null]);
    const [session] = server.recorded();
    await eventually('the end', () => server.isClosed(session!), 60_000);
    isWhole(server, session!, made);
    assert.equal(count(session!, 'video_refused'), 1);
    console.log(`${frames(session!)} frames before the quota; ${warnings[0]}`);
    assert.ok(frames(session!) > 0, 'the video until then is kept');
  }));

/** 4,000 frames at 1,000 frames per second, in a few kilobytes. */
const tooManyFrames = (): Buffer => {
  const film = join(folder, 'frames.webm');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'color=gray:s=64x64:r=1000', '-frames:v', '4000', '-c:v', 'libvpx', '-deadline', 'realtime', film]);
  return readFileSync(film);
};

test('a forged video with more frames than a camera records is not converted, and a visitor beside it is', { skip, timeout: 120_000 }, () => at(
  [], 'consentGiven: true, camera: "video"', async ({ server, url, key, person }) => {
    const film = tooManyFrames();
    const { page } = await person();
    await page.goto(url);
    await started(page);
    const forged = await RemoteSession.begin(server.url, key, url, { camera: 'video' });
    const began = { stream: 'video_frame', seq: 0, document: 1, page_ms: 2, kind: 'started', data: { chunk: 0, mime: 'video/webm', width_px: 64, height_px: 64 } };
    await forged.records([began]);
    assert.equal((await forged.put('video/0', film, { 'content-type': 'video/webm' })).status, 200);
    await forged.finish({ video_frame: 1 }, 1);
    await page.waitForFunction('recorder.state.camera === "on"');
    await page.waitForTimeout(3000);
    const made = await page.evaluate('marks') as number;
    assert.equal((await stop(page)).phase, 'finished');
    const session = (isForged: boolean) => server.recorded().find((s) => s.includes(`/${forged.participant}/`) === isForged)!;
    const [bomb, visit] = [session(true), session(false)];
    await eventually('both are closed', () => server.isClosed(bomb) && server.isClosed(visit), 90_000);
    const refused = query<{ data: string }>(bomb, "SELECT data FROM event WHERE kind = 'video_not_converted'").map((row) => row.data);
    console.log(`${film.length} bytes with 4000 frames: ${frames(bomb)} are stored; ${refused.join()}`);
    assert.match(refused.join(), /more than 120 frames per second, and no camera records so many/);
    assert.ok(frames(bomb) < 2000);
    assert.ok(frames(visit) > 10, JSON.stringify(query(visit, "SELECT kind, data FROM event WHERE stream IN ('server', 'health')")));
    isWhole(server, visit, made);
  }));

test('an attacker who guesses passwords does not keep the owner out, and a new password ends the login', { skip, timeout: 90_000 }, () => at(
  [], 'consentGiven: true', async ({ server, person }) => {
    let isOver = false;
    const statuses: number[] = [];
    const guessing = (async () => {
      for (let k = 0; !isOver; k++) {
        const body = JSON.stringify({ password: `guess ${k}` });
        statuses.push((await send(server.url, { path: '/v1/login', origin: server.url, body, from: ATTACKER })).status);
        await new Promise((resolve) => { setTimeout(resolve, 250); });
      }
    })();
    await eventually('the attacker has to wait', () => statuses.includes(429));
    const owner = (await person()).page;
    await owner.goto(server.url);
    await login(owner);
    isOver = true;
    await guessing;
    assert.deepEqual([...new Set(statuses)].sort(), [401, 429]);

    await owner.getByText('0 sessions').waitFor();
    server.own('another long password');
    await owner.locator('#password').waitFor(); // the page asks by itself
    await owner.locator('#password').fill(PASSWORD);
    await owner.getByRole('button', { name: 'Log in' }).click();
    await owner.locator('form .loss', { hasText: 'password' }).waitFor();
    await owner.locator('#password').fill('another long password');
    await owner.getByRole('button', { name: 'Log in' }).click();
    await owner.getByRole('heading', { name: 'Sessions' }).waitFor();
  }));

const FORMULAS = ['=HYPERLINK("http://evil.example","Click")', '+SUM(1)', '-SUM(1)', '@SUM(1)'];

/** The cells of a table, with quotes as RFC 4180 has them. */
const cells = (text: string): string[] => [...text.matchAll(/(?:^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)]
  .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');

test('a formula that a visitor types and deletes is a text in the owner\'s tables', { skip, timeout: 60_000 }, () => at(
  [], 'consentGiven: true', async ({ server, url, person }) => {
    const { page } = await person();
    await page.goto(url);
    await started(page);
    await page.click('#note');
    for (const text of FORMULAS) {
      await page.keyboard.insertText(text);
      await page.keyboard.press('Control+A');
      await page.keyboard.press('Delete');
    }
    assert.equal((await stop(page)).phase, 'finished');
    const [session] = server.recorded();
    await eventually('the end', () => server.isClosed(session!));
    const to = join(folder, 'tables');
    server.run('export', session!, '--to', to);
    const tables = (readdirSync(to, { recursive: true }) as string[]).filter((name) => /\.[ct]sv$/.test(name));
    const all = tables.flatMap((name) => cells(readFileSync(join(to, name), 'utf8')));
    const isNumber = (cell: string) => Number.isFinite(Number(cell));
    assert.deepEqual(all.filter((cell) => /^[=+\-@\t\r]/.test(cell) && !isNumber(cell)), []);
    for (const text of FORMULAS) assert.ok(all.includes(`'${text}`), `${text} in ${tables.join(', ')}`);
  }));

run();
