// What a visitor has decided holds: withdrawals without network, while a session begins and in other tabs; pauses that outlive
// their session; the answer to a recruiting link; and a full study that lets its own participants go on.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accept, answer, dialog, eventually, launch, skip, words } from './browser';
import { PICTURES } from './served';
import { rowsOf } from './server';
import { together } from './together';
import { type State, type Work, hasDialog, started, visit as visitPage } from './visit';

const { add: test, run } = together('what a visitor has decided', 4);

const PAGE = (server: string, options: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<button id="buy">Buy now</button>
<script src="/dist/affectograph.min.js"></script>
<script>
  window.create = (more = {}) => affectograph.createRecorder({ server: '${server}', study: 'shop', key: 'key', ${options}, ...more });
  window.recorder = create();
  if (!location.hash.includes('later')) window.started = recorder.start();
</script>`;
const GIVEN = 'consentGiven: true';
const ASKED = 'camera: "off"';

let browser: Browser;
before(async () => { if (!skip) browser = await launch(); });
after(async () => { if (!skip) await browser.close(); });

const visit = (options: string, work: Work) =>
  visitPage(browser, (server) => PAGE(server, options), (server) => { server.consentText = 'Please.'; }, work);
const state = (page: Page) => page.evaluate('recorder.state') as Promise<State>;
const withdraw = (page: Page) => page.evaluate('recorder.withdraw()') as Promise<State>;
const stored = (page: Page, area: string) => page.evaluate(`JSON.stringify(Object.entries(${area}))`) as Promise<string>;

test('a withdrawal without network is confirmed when the server is back', { skip, timeout: 90_000 }, () => visit(GIVEN, async ({ server, url, page, open }) => {
  await page.goto(url);
  await started(page);
  await eventually('the first records', () => rowsOf(server.session, 'page').length > 0);
  await server.kill();
  await page.click('#buy');
  const from = Date.now();
  const ended = await withdraw(page);
  assert.ok(Date.now() - from < 11_500);
  assert.equal(ended.phase, 'withdrawing');
  assert.match(ended.problem!, /has not confirmed yet/);
  assert.ok((await words(page)).includes('Nothing more is recorded'));
  await page.screenshot({ path: join(PICTURES, 'visitor_not_deleted_yet.png') });
  await page.close();
  await server.start();
  // The next page of this site asks for the deletion, and records anew, because the site asked for consent.
  await started(await open());
  await eventually('the deletion', () => server.withdrawn.length === 1);
  assert.deepEqual(server.withdrawn, ['session1']);
}));

test('a withdrawal without network after the dialog is repeated by a page that does not record', { skip, timeout: 90_000 }, () => visit(ASKED, async ({ server, url, page, open }) => {
  await page.goto(url);
  await accept(page);
  assert.equal((await started(page)).phase, 'recording');
  await eventually('the first records', () => rowsOf(server.session, 'page').length > 0);
  await server.kill();
  const ended = await withdraw(page);
  assert.equal(ended.phase, 'withdrawing');
  assert.match(ended.problem!, /has not confirmed yet/);
  await page.close();
  await server.start();
  const next = await open();
  assert.equal((await started(next)).phase, 'declined');
  assert.ok(!await hasDialog(next));
  await eventually('the deletion', () => server.withdrawn.length === 1);
  assert.deepEqual([server.withdrawn, server.sessions.size], [['session1'], 0]);
}));

test('a proxy\'s 404 confirms no deletion', { skip, timeout: 60_000 }, () => visit(GIVEN, async ({ server, url, page }) => {
  await page.goto(url);
  await started(page);
  server.isBehindProxy = true;
  await page.evaluate('void recorder.withdraw()');
  await eventually('the report', async () => (await state(page)).problem !== null);
  assert.equal((await state(page)).phase, 'withdrawing');
  assert.ok(!(await words(page)).includes('Deleted.'));
  server.isBehindProxy = false;
  await eventually('the confirmation', async () => (await state(page)).phase === 'withdrawn');
  assert.deepEqual(server.withdrawn, ['session1']);
}));

test('a withdrawal while the server begins the session waits for its answer, and deletes it', { skip, timeout: 60_000 }, () => visit(ASKED, async ({ server, url, page }) => {
  await page.goto(url);
  server.begins = 'late';
  await accept(page);
  await eventually('the request', async () => (await state(page)).phase === 'connecting');
  await page.waitForTimeout(1000);
  const from = Date.now();
  const ended = await withdraw(page);
  assert.equal(ended.phase, 'withdrawn');
  assert.ok(Date.now() - from > 2000, 'not before the server has answered');
  assert.deepEqual([server.withdrawn, server.sessions.size], [['session1'], 0]);
  assert.ok(!(await stored(page, 'localStorage')).includes('affectograph.participant'));
}));

test('a second withdrawal reaches the other tabs too', { skip, timeout: 60_000 }, () => visit(GIVEN, async ({ server, page, open }) => {
  await page.close();
  for (const [round, deleted] of [[1, 2], [2, 4]] as const) {
    const [first, second] = [await open(), await open()];
    for (const tab of [first, second]) assert.equal((await started(tab)).phase, 'recording');
    assert.equal((await withdraw(first)).phase, 'withdrawn', `round ${round}`);
    await eventually(`the other tab, round ${round}`, async () => (await state(second)).phase === 'withdrawn');
    assert.deepEqual([server.withdrawn.length, server.sessions.size], [deleted, 0]);
    for (const tab of [first, second]) await tab.close();
  }
}));

test('a withdrawal ends another tab that waits for the server', { skip, timeout: 60_000 }, () => visit(GIVEN, async ({ server, url, page, open }) => {
  await page.goto(url);
  await started(page);
  server.begins = { status: 503, retryAfter_s: 30 };
  const other = await open();
  await eventually('the refusal', async () => (await state(other)).problem !== null);
  assert.equal((await state(other)).phase, 'connecting');
  assert.equal((await withdraw(page)).phase, 'withdrawn');
  server.begins = 'yes';
  await eventually('the other tab', async () => (await state(other)).phase === 'withdrawn');
  assert.deepEqual([server.withdrawn, server.sessions.size], [['session1'], 0]);
}));

test('a browser that cannot write still asks the server to delete, and says what is left', { skip, timeout: 60_000 }, () => visit(GIVEN, async ({ server, url, page }) => {
  await page.goto(url);
  await started(page);
  await page.evaluate(`(() => {
    const begin = IDBDatabase.prototype.transaction;
    window.isFull = true;
    IDBDatabase.prototype.transaction = function (...all) {
      if (isFull) throw new DOMException('disk full', 'QuotaExceededError');
      return begin.apply(this, all);
    };
    void recorder.withdraw();
  })()`);
  await eventually('the deletion', () => server.withdrawn.length === 1);
  await eventually('the report', async () => /this browser has not deleted its copy yet: disk full/.test((await state(page)).problem ?? ''));
  await page.evaluate('window.isFull = false');
  await eventually('the confirmation', async () => (await state(page)).phase === 'withdrawn');
}));

test('a pause holds in a duplicated tab, whose session is another one', { skip, timeout: 60_000 }, () => visit(GIVEN, async ({ server, url, context, page }) => {
  await page.goto(url);
  await started(page);
  await page.evaluate('recorder.pause()');
  const [copy] = await Promise.all([context.waitForEvent('page'), page.evaluate('void window.open(location.href)')]); // copies sessionStorage
  await copy.waitForLoadState();
  const begun = await started(copy);
  assert.deepEqual([begun.phase, begun.isPaused, begun.session], ['recording', true, 'session2']);
  await copy.click('#buy');
  const session = server.sessions.get('session2')!;
  await eventually('the pause', () => rowsOf(session, 'health').length > 0);
  assert.deepEqual([rowsOf(session, 'health').map((r) => r.kind), rowsOf(session, 'page').filter((r) => r.kind !== undefined && r.kind !== 'document').length], [['paused'], 0]);
}));

test('a pause before the recording begins holds, and is recorded', { skip, timeout: 60_000 }, () => visit(ASKED, async ({ server, url, page }) => {
  await page.goto(`${url}#later`);
  await page.evaluate('recorder.pause(); window.started = recorder.start(); undefined');
  await accept(page);
  const { phase, isPaused } = await started(page);
  assert.deepEqual([phase, isPaused], ['recording', true]);
  await page.click('#buy');
  await eventually('the pause', () => rowsOf(server.session, 'health').length === 1);
  await page.evaluate('recorder.resume()');
  await page.click('#buy');
  await eventually('the click', () => rowsOf(server.session, 'page').some((r) => r.kind === 'click'));
  assert.deepEqual(rowsOf(server.session, 'health').map((r) => r.kind), ['paused', 'resumed']);
  assert.equal(rowsOf(server.session, 'page').filter((r) => r.kind === 'click').length, 1);
}));

test('a recruited visitor who said no is not asked again, and the identifier is not kept', { skip, timeout: 60_000 }, () => visit(ASKED, async ({ server, url, page }) => {
  const PERSON = '5f7a9b1c2d3e4f5a6b7c8d9e';
  await page.goto(`${url}?participant=${PERSON}`);
  await dialog(page);
  assert.ok(!(await stored(page, 'sessionStorage')).includes(PERSON), 'nothing is stored before consent');
  await answer(page, 'Escape');
  assert.equal((await started(page)).phase, 'declined');
  for (const address of [`${url}?participant=${PERSON}`, url]) {
    await page.goto(address);
    assert.equal((await started(page)).phase, 'declined');
    assert.ok(!await hasDialog(page));
    assert.ok(!(await stored(page, 'sessionStorage') + await stored(page, 'localStorage')).includes(PERSON));
  }
  await page.goto(`${url}?participant=another-person`);
  await accept(page);
  assert.equal((await started(page)).phase, 'recording');
  assert.equal(server.session.asked['link'], 'another-person');
  assert.equal((await withdraw(page)).phase, 'withdrawn');
  assert.ok(!(await stored(page, 'sessionStorage')).includes('another-person'));
  await page.goto(`${url}?participant=another-person`);
  assert.equal((await started(page)).phase, 'declined');
}));

test('a full study asks no new visitor, and lets its own go on', { skip, timeout: 60_000 }, () => visit(ASKED, async ({ server, url, page, open }) => {
  await page.goto(url);
  await accept(page);
  assert.equal((await started(page)).phase, 'recording');
  server.isFull = true;
  const own = await open();
  assert.equal((await started(own)).phase, 'recording');
  await own.evaluate('localStorage.clear()');
  await own.close();
  await page.close();
  const other = await open();
  const { phase, problem } = await started(other);
  assert.equal(phase, 'failed');
  assert.match(problem!, /all its participants/);
  assert.ok(!await hasDialog(other));
}));

run();
