// A visitor in a real browser: what is recorded, what is not recorded, and no loss of records.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { CLIENT, accept, answer, dialog, eventually, launch, site, skip } from './browser';
import { ProtocolServer, type Row, rowsOf } from './server';
import { together } from './together';
import { type Prepare, type Work, opened, visit as visitPage } from './visit';

const { add: test, run } = together('a visitor in a browser', 4);

const FORM = (server: string, options = '') => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<body style="height: 3000px">
<button id="buy">Buy now</button> <label>Comment <input id="comment"></label> <label>Open <textarea id="open"></textarea></label>
<label>Password <input id="pw" type="password"></label> <label>Card <input id="x" name="card-number"></label>
<div class="diary"><input id="entry" aria-label="Diary"></div> <label><input id="agree" type="checkbox"> Agree</label>
<select id="hue" aria-label="Hue"><option>red<option>green</select>
<script src="/dist/affectograph.min.js"></script>
<script>
  window.recorder = affectograph.createRecorder({ server: '${server}', study: 'shop', key: 'key', consentGiven: true, ${options} });
  window.started = recorder.start();
</script>`;

let browser: Browser;
before(async () => { if (!skip) browser = await launch(); });
after(async () => { if (!skip) await browser.close(); });

const visit = (work: Work, options = '', prepare: Prepare = () => undefined) =>
  visitPage(browser, (server) => FORM(server, options), prepare, opened(work));
const phase = (page: Page) => page.evaluate('recorder.state.phase') as Promise<string>;
const stop = (page: Page) => page.evaluate('recorder.stop()') as Promise<{ phase: string; problem: string | null }>;
const isWhole = (rows: Row[]) => assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));

test('a visit is recorded, and what is secret is not', { skip }, () => visit(async ({ server, page }) => {
  await page.evaluate('started');
  assert.equal(await phase(page), 'recording');
  await page.click('#buy');
  await page.click('#comment');
  await page.keyboard.type('helo');
  await page.keyboard.press('Backspace');
  await page.click('#open');
  await page.keyboard.type('hidden?');
  for (const secret of ['#pw', '#x', '#entry']) {
    await page.click(secret);
    await page.keyboard.type('Zq7');
  }
  await page.check('#agree');
  await page.selectOption('#hue', 'green');
  await page.mouse.wheel(0, 300);
  await page.evaluate('recorder.mark("trial", { n: 7 })');
  const isExact = () => page.evaluate('recorder.state.clock_uncertainty_ms <= 5') as Promise<boolean>;
  await eventually('a clock that is exact to 5 ms', isExact);
  await page.waitForTimeout(700);
  const { phase: end, problem } = await stop(page);
  assert.deepEqual([end, problem], ['finished', null]);
  const { session } = server;
  const rows = rowsOf(session, 'page');
  isWhole(rows);
  assert.equal(session.finished!.streams['page'], rows.length);
  assert.equal(session.doubles, 0);
  const of = (kind: string, target: string) => rows.filter((r) => r.kind === kind && r.data!['target'] === target).map((r) => r.data!);
  assert.equal(of('click', 'button#buy')[0]!['label'], 'Buy now');
  assert.equal(of('input', 'input#comment').map((d) => d['inserted']).join(''), 'helo');
  assert.equal(of('input', 'input#comment').at(-1)!['deleted'], 'o');
  const open = of('input', 'textarea#open');
  assert.deepEqual(open.map((d) => [d['inserted'], d['inserted_length'], d['length_after']]),
    Array.from({ length: 7 }, (_, k) => [undefined, 1, k + 1]), 'that was typed, and not what');
  for (const target of ['input#pw', 'input#x', 'input#entry']) {
    const there = rows.filter((r) => r.data?.['target'] === target);
    assert.ok(there.some((r) => r.kind === 'keydown') && there.some((r) => r.kind === 'input'));
    for (const row of there) {
      for (const field of ['key', 'code', 'inserted', 'deleted', 'caret', 'position', 'value', 'label']) {
        assert.equal(row.data![field], undefined, JSON.stringify(row));
      }
    }
  }
  assert.ok(!JSON.stringify(rows).includes('Zq7') && !JSON.stringify(rows).includes('"Z"') && !JSON.stringify(rows).includes('"?"'));
  assert.equal(of('change', 'input#agree')[0]!['is_checked'], true);
  assert.equal(of('change', 'select#hue')[0]!['value'], 'green');
  assert.ok(rows.some((r) => r.kind === 'scroll'));
  assert.deepEqual(rows.find((r) => r.kind === 'mark')!.data, { name: 'trial', data: { n: 7 } });
  const { clock } = session.documents.get(1)!;
  console.log(`clock: ± ${clock!.uncertainty_ms.toFixed(2)} ms on loopback`);
  const truth = await page.evaluate('performance.timeOrigin') as number;
  assert.ok(Math.abs(clock!.offset_ms - truth) < 50);
  const kept = await page.evaluate('indexedDB.databases()') as unknown[];
  assert.equal(kept.length, 1);
}, 'mask: [".diary"]', (server) => { server.content = ['#comment']; }));

test('the server dies, the page is reloaded, and nothing is lost or doubled', { skip }, () => visit(async ({ server, page }) => {
  let marks = 0;
  const mark = async (count: number) => {
    for (let k = 0; k < count; k++) await page.evaluate(`recorder.mark("m", ${marks++})`);
  };
  await page.evaluate('started');
  await mark(40);
  await eventually('the first records', () => server.session.rows.size > 40);
  await server.kill();
  await mark(40);
  await page.waitForTimeout(1500);
  await mark(40);
  await page.reload(); // in the middle of a batch
  await mark(40);
  await page.reload();
  await mark(40);
  await page.waitForTimeout(1000);
  await server.start();
  await mark(40);
  await eventually('all of it', async () => rowsOf(server.session, 'page').filter((r) => r.kind === 'mark').length === marks);
  await mark(40);
  await page.reload(); // the server is reachable: leaving the page sends the records
  await page.evaluate('started');
  assert.equal((await stop(page)).phase, 'finished');
  const rows = rowsOf(server.session, 'page');
  isWhole(rows);
  assert.deepEqual(rows.filter((r) => r.kind === 'mark').map((r) => r.data!['data']), Array.from({ length: marks }, (_, k) => k));
  assert.deepEqual([...new Set(rows.map((r) => r.document))], [1, 2, 3, 4]);
  assert.equal(rows.filter((r) => r.kind === 'document').length, 4);
  console.log(`${rows.length} records over 4 documents, ${server.session.doubles} were sent twice and stored once`);
}));

test('what a tab leaves behind when it is closed comes at once or with the next page', { skip }, async () => {
  const server = await new ProtocolServer().start();
  const shop = await site({ '/': FORM(server.url) });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(shop.url);
    await page.evaluate('started');
    await page.evaluate('recorder.mark("last", 1)');
    await page.close({ runBeforeUnload: true });
    const first = server.session;
    await eventually('the last mark, by keepalive', () => rowsOf(first, 'page').some((r) => r.kind === 'mark'));

    const other = await context.newPage();
    await other.goto(shop.url);
    await other.evaluate('started');
    await server.kill();
    await other.evaluate('recorder.mark("offline", 2)');
    await other.waitForTimeout(700);
    await other.close({ runBeforeUnload: true });
    await server.start();
    const third = await context.newPage();
    await third.goto(shop.url);
    const second = () => [...server.sessions.values()][1]!;
    await eventually('what the closed tab kept', () => rowsOf(second(), 'page').some((r) => r.data?.['name'] === 'offline'));
    await eventually('a session of its own for each tab', () => server.sessions.size === 3);
    isWhole(rowsOf(second(), 'page'));
  } finally {
    await context.close();
    shop.close();
    await server.kill();
  }
});

/** Fields that only a label, a name or a placeholder tells. */
const SECRET_FIELDS = `<label for="a">Kartennummer</label><input id="a"> <label>Code de sécurité <input id="b"></label>
<span id="t">Срок действия</span><input id="c" aria-labelledby="t"> <input id="d" placeholder="Contraseña">
<select id="e" name="card_exp_month"><option>01<option>02</select> <label for="f">Ablaufdatum</label><select id="f"><option>2027<option>2028</select>
<div id="host"></div> <label for="g">Postcard</label><input id="g">`;

test('fields that only their labels tell are secret', { skip }, () => visit(async ({ server, page }) => {
  await page.evaluate('started');
  await page.evaluate(`document.body.insertAdjacentHTML('afterbegin', ${JSON.stringify(SECRET_FIELDS)});
    document.getElementById('host').attachShadow({ mode: 'open' }).innerHTML = '<label for="h">Social Security number</label><input id="h">'`);
  for (const id of ['a', 'b', 'c', 'd', 'h', 'g']) {
    await page.click(`#${id}`);
    await page.keyboard.type('4x');
  }
  await page.selectOption('#e', '02');
  await page.selectOption('#f', '2028');
  assert.equal((await stop(page)).phase, 'finished');
  const rows = rowsOf(server.session, 'page');
  const typed = (id: string) => rows.filter((r) => r.kind === 'input' && String(r.data!['target']).includes(`input#${id}`)).map((r) => r.data!['inserted'] ?? null);
  for (const id of ['a', 'b', 'c', 'd', 'h']) assert.deepEqual(typed(id), [null, null], id);
  assert.deepEqual(typed('g'), ['4', 'x']);
  for (const id of ['e', 'f']) {
    const [change] = rows.filter((r) => r.kind === 'change' && r.data!['target'] === `select#${id}`);
    assert.equal(change!.data!['value'], undefined);
    assert.equal(change!.data!['index'], undefined);
  }
}, '', (server) => { server.content = ['*']; }));

test('nothing is captured before consent', { skip }, () => visit(async ({ server, page }) => {
  await page.mouse.click(5, 5);
  await dialog(page);
  assert.equal(await phase(page), 'asking');
  await page.screenshot({ path: join(CLIENT, '../build/consent.png') });
  assert.equal(server.sessions.size, 0);
  await accept(page);
  await page.evaluate('started');
  assert.equal(await phase(page), 'recording');
  await page.click('#buy');
  assert.equal((await stop(page)).phase, 'finished');
  const rows = rowsOf(server.session, 'page');
  assert.deepEqual(rows.slice(0, 1).map((r) => r.kind), ['document']);
  assert.equal(rows.filter((r) => r.kind === 'click').length, 1);
  const { consent } = server.session.asked as { consent: { text_sha256: string; given_utc_ms: number } };
  assert.match(consent.text_sha256, /^[0-9a-f]{64}$/);
  assert.ok(Math.abs(consent.given_utc_ms - Date.now()) < 60_000);
}, 'consentGiven: undefined, camera: "off"'));

test('a no is a no, by key and by button', { skip }, async () => {
  for (const answers of [['Escape'], ['Tab', 'Enter']]) {
    await visit(async ({ server, page }) => {
      await answer(page, ...answers);
      await page.evaluate('started');
      await page.click('#buy');
      await page.waitForTimeout(600);
      assert.equal(await phase(page), 'declined');
      assert.equal(server.sessions.size, 0);
    }, 'consentGiven: undefined');
  }
});

test('a key that is not known is said and harms nobody', { skip }, () => visit(async ({ page }) => {
  const state = await page.evaluate('started') as { phase: string; problem: string };
  assert.equal(state.phase, 'failed');
  assert.match(state.problem, /key is not known/);
  await page.click('#buy');
  await page.evaluate('recorder.mark("x")');
}, 'key: "wrong"'));

test('over ipc and over HTTP the same is told', { skip }, async () => {
  const server = await new ProtocolServer().start();
  server.content = ['*'];
  // The lab's `affectograph` cannot be replaced, so the page loads the library as a module.
  const shop = await site({ '/': FORM(server.url).replace(/<script[^]*<\/script>/, `<script type="module">
    import { createRecorder } from '/dist/affectograph.js';
    window.recorder = createRecorder({ server: '${server.url}', study: 'shop', key: 'key', consentGiven: true, mask: ['.diary'] });
    window.started = recorder.start();
  </script>`) });
  const page = await browser.newPage();
  try {
    // The lab's script as the lab app injects it, in the same document that embeds the library.
    const lab = await readFile(join(CLIENT, '../build/web/recorder.js'), 'utf8');
    const config = JSON.stringify({ token: 'T', key: 'K', mask: ['.diary'] });
    await page.addInitScript('window.told = []; window.ipc = { postMessage: (m) => { told.push(m); } };');
    await page.addInitScript(lab.replace('__CONFIG__', config));
    await page.goto(shop.url);
    await page.waitForFunction('window.started');
    await page.evaluate('started');
    const from = await page.evaluate('told.length') as number;
    const documents = { lab: JSON.parse((await page.evaluate('told[0]') as string).slice(2)) as { x: object } };

    await page.click('#buy');
    await page.click('#comment');
    await page.keyboard.type('Hello wörld');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.type('!');
    for (const field of ['#pw', '#x', '#entry', '#open']) {
      await page.click(field);
      await page.keyboard.type('Secret1');
    }
    await page.check('#agree');
    await page.selectOption('#hue', 'green');
    await page.dblclick('#open');
    await page.mouse.wheel(0, 200);
    await page.waitForTimeout(300);
    await page.evaluate("location.hash = 'there'; history.pushState({}, '', '#/x');");
    await page.evaluate("document.getElementById('buy').click()");
    await page.evaluate("setTimeout(() => { throw new Error('a mistake of the page') })");
    await page.evaluate("void Promise.reject(new Error('a promise'))");
    await page.context().setOffline(true);
    await page.context().setOffline(false);
    await page.setViewportSize({ width: 700, height: 500 });
    await page.waitForTimeout(800);
    assert.equal((await stop(page)).phase, 'finished');

    const messages = (await page.evaluate('told') as string[]).slice(from);
    const ipc = messages.map((m) => JSON.parse(m.slice(2)) as { k: string; t: number; x: unknown; n: number })
      .map(({ k, t, x }) => ({ kind: k, t, data: x }));
    const rows = rowsOf(server.session, 'page');
    const http = rows.map((r) => ({ kind: r.kind!, t: r.page_ms, data: r.data }));
    assert.deepEqual(http[0]!.data, { ...documents.lab.x, tick_ms: (http[0]!.data as { tick_ms: number }).tick_ms });
    // Each half records pointer moves and scrolling 30 times a second with its own timer. All other events must be equal.
    const plain = (all: typeof ipc) => all.filter((e) => !['pointermove', 'scroll', 'document', 'load', 'selection', 'pageshow', 'busy', 'frames'].includes(e.kind));
    // Each half has its own handler times. The times of the events are equal.
    const told = (e: (typeof ipc)[number]) => [e.kind, { ...(e.data as object), handled_ms: undefined }];
    assert.deepEqual(plain(http).map(told), plain(ipc).map(told));
    const apart = plain(http).map((e, k) => Math.abs(e.t - plain(ipc)[k]!.t));
    console.log(`${plain(http).length} events equal in kind, fields and order; stamped at most ${Math.max(...apart).toFixed(2)} ms apart`);
    const known = new Set(plain(http).map((e) => e.kind));
    for (const kind of ['click', 'dblclick', 'input', 'keydown', 'keyup', 'change', 'focus', 'blur', 'navigate', 'error',
      'rejection', 'network', 'resize', 'pointerdown', 'pointerup']) assert.ok(known.has(kind), kind);
    const last = (all: typeof ipc, kind: string) => all.filter((e) => e.kind === kind).at(-1)!.data;
    for (const kind of ['pointermove', 'scroll']) {
      assert.deepEqual({ ...(last(http, kind) as object), handled_ms: 0 }, { ...(last(ipc, kind) as object), handled_ms: 0 });
    }
  } finally {
    await page.context().close();
    await server.kill();
    shop.close();
  }
});

test('the page is recorded for replay, without what is masked', { skip }, () => visit(async ({ server, page }) => {
  await page.evaluate('started');
  await page.fill('#comment', 'visible to nobody');
  await page.evaluate("document.querySelector('.diary').append('dear diary')");
  await page.click('#buy');
  await page.waitForTimeout(800);
  assert.equal((await stop(page)).phase, 'finished');
  const rows = rowsOf(server.session, 'replay');
  isWhole(rows);
  assert.ok(rows.some((r) => (r.data as { type: number }).type === 2), 'a full snapshot');
  const told = JSON.stringify(rows);
  assert.ok(told.includes('Buy now') && !told.includes('visible to nobody') && !told.includes('dear diary'));
}, 'replay: true, mask: [".diary"]'));

run();
