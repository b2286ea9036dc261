// The server's limits as visitors, the owner and attackers meet them: silent sessions, full studies, quotas, logins, and cells
// that a spreadsheet would run. Each test has a server of its own.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { accept, dialog, eventually, launch, site, skip as noBrowser } from './browser';
import { pictures } from './pictures';
import { Program, noProgram, query } from './program';
import { PASSWORD, login, temporaryFolder } from './served';
import { type State, hasDialog, started } from './visit';

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

/** The session is intact, and has each mark of the page once. */
const isWhole = (server: Program, session: string, made: number): void => {
  assert.match(server.run('verify', session), /^intact$/m);
  const rows = query<{ seq: number; kind: string; data: string }>(session, "SELECT seq, kind, data FROM event WHERE stream = 'page' ORDER BY seq");
  assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));
  const marks = rows.filter((r) => r.kind === 'mark').map((r) => (JSON.parse(r.data) as { data: number }).data);
  assert.deepEqual(marks, marks.map((_, k) => k));
  assert.ok(marks.length >= made, `${marks.length} of ${made} marks`);
};

/** From another address of this computer than the browser's. */
const ATTACKER = '127.0.0.2';
const attack = (address: string, method: string, headers: Record<string, string>, body: string): Promise<{ status: number; detail: string }> =>
  new Promise((resolve, reject) => {
    const options = { method, localAddress: ATTACKER, rejectUnauthorized: false, headers: { 'content-type': 'application/json', ...headers } };
    const sent = (address.startsWith('https:') ? requestHttps : requestHttp)(address, options, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => { text += part.toString(); });
      response.on('end', () => resolve({ status: response.statusCode!, detail: String((JSON.parse(text || '{}') as { detail?: string }).detail ?? '') }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

test('a tab without network: its session is silent, then closed, and goes on', { skip, timeout: 150_000 }, () => at(
  ['--silent-min', '0.05', '--close-silent-min', '0.25'], 'consentGiven: true', async ({ server, url, person }) => {
    const owner = (await person()).page;
    await owner.goto(server.url);
    await login(owner);
    const visitor = await person();
    await visitor.page.goto(url);
    await started(visitor.page);
    const lamp = (state: string) => owner.locator(`.lamp.${state}`).waitFor({ timeout: 40_000 });
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
    const consent = { given_utc_ms: Date.now(), text_sha256: 'ab'.repeat(32) };
    const body = JSON.stringify({ study: 'smile', consent, camera: 'off', client: { version: '0.1.0', user_agent: 'x', language: 'en' } });
    const begin = () => attack(`${server.url}/v1/sessions`, 'POST', { origin: url, authorization: `Bearer ${key}` }, body);
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
    const frames = query<{ n: number }>(session!, 'SELECT count(*) AS n FROM frame')[0]!.n;
    console.log(`${frames} frames before the quota; ${warnings[0]}`);
    assert.ok(frames > 0, 'the video until then is kept');
  }));

test('an attacker who guesses passwords does not keep the owner out, and a new password ends the login', { skip, timeout: 90_000 }, () => at(
  [], 'consentGiven: true', async ({ server, person }) => {
    let isOver = false;
    const statuses: number[] = [];
    const guessing = (async () => {
      for (let k = 0; !isOver; k++) {
        const headers = { origin: server.url };
        statuses.push((await attack(`${server.url}/v1/login`, 'POST', headers, JSON.stringify({ password: `guess ${k}` }))).status);
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
