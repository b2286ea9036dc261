// The beginning of a recording: a server that is away or full, the study's own consent text, and what a browser remembers.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accept, answer, dialog, eventually, launch, site, skip, words } from './browser';
import { PICTURES } from './served';
import { ProtocolServer, type Session, rowsOf } from './server';
import { together } from './together';
import { type Prepare, type State, type Work, hasDialog, opened, started, visit as visitPage } from './visit';

const { add: test, run } = together('the beginning of a recording', 6);

const PAGE = (server: string, options: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<button id="buy">Buy now</button> <input id="comment"> <input id="entry" class="diary">
<script src="/dist/affectograph.min.js"></script>
<script>
  window.create = (more = {}) => affectograph.createRecorder({ server: '${server}', study: 'shop', key: 'key', ${options}, ...more });
  window.recorder = create();
  window.begun_ms = performance.now();
  window.started = recorder.start().then((state) => {
    window.started_ms = performance.now() - begun_ms;
    return state;
  });
  // As when it is called, not when the test reads it.
  window.stopped = async () => {
    const from = performance.now();
    const state = await recorder.stop();
    return { state, ms: performance.now() - from };
  };
</script>`;
const GIVEN = 'consentGiven: true';
const ASKED = 'camera: "off"';

let browser: Browser;
before(async () => { if (!skip) browser = await launch(); });
after(async () => { if (!skip) await browser.close(); });

const visit = (options: string, prepare: Prepare, work: Work) => visitPage(browser, (server) => PAGE(server, options), prepare, opened(work));
const startedMs = (page: Page) => page.evaluate('started_ms') as Promise<number>;
const stopped = (page: Page) => page.evaluate('stopped()') as Promise<{ state: State; ms: number }>;
const phase = (page: Page) => page.evaluate('recorder.state.phase') as Promise<string>;
const isRecording = (page: Page) => eventually('the recording', async () => await phase(page) === 'recording', 40_000);
/** The words of the dialog. */
const said = async (page: Page): Promise<string> => {
  await dialog(page);
  return words(page);
};
const kinds = (session: Session) => rowsOf(session, 'page').map((r) => r.kind);

// ---- a server that is away or full -------------------------------------------------------------------------------------

test('a silent server: start and stop end in time, and say what happened', { skip }, () => visit(GIVEN, (server) => { server.begins = 'silent'; }, async ({ server, page }) => {
  const state = await started(page);
  assert.equal(state.phase, 'connecting');
  assert.match(state.problem!, /has not answered yet/);
  assert.ok(await startedMs(page) < 11_000, `start() took ${await startedMs(page)} ms`);
  const end = await stopped(page);
  assert.ok(end.ms < 11_000, `stop() took ${end.ms} ms`);
  assert.equal(end.state.phase, 'failed');
  assert.match(end.state.problem!, /stopped before the server began a session/);
  server.begins = 'yes';
  await page.waitForTimeout(3000);
  assert.equal(server.sessions.size, 0, 'the attempts have ended');
}));

test('a silent server is stopped during its first answer', { skip }, () => visit(GIVEN, (server) => { server.begins = 'silent'; }, async ({ page }) => {
  const end = await stopped(page);
  assert.ok(end.ms < 11_000, `stop() took ${end.ms} ms`);
  assert.equal(end.state.phase, 'failed');
  assert.equal((await started(page)).phase, 'failed', 'start() has ended too');
}));

test('a session that begins after stop() is finished', { skip }, () => visit(GIVEN, (server) => { server.begins = 'late'; }, async ({ server, page }) => {
  assert.equal((await stopped(page)).state.phase, 'failed');
  assert.equal(server.sessions.size, 0);
  await eventually('the late session and its end', () => server.sessions.size === 1 && server.session.finished !== null);
  assert.equal(rowsOf(server.session, 'page').length, 0);
}));

test('a server that refuses connections: the recording begins when it is back', { skip }, () => visit(GIVEN, (server) => server.kill(), async ({ server, page }) => {
  const state = await started(page);
  assert.equal(state.phase, 'connecting');
  assert.match(state.problem!, /the server does not answer/);
  assert.ok(await startedMs(page) < 11_000);
  await server.start();
  await isRecording(page);
  await page.click('#buy');
  assert.equal((await stopped(page)).state.phase, 'finished');
  assert.ok(kinds(server.session).includes('click'));
}));

for (const status of [429, 503]) {
  test(`a server that answers ${status}: the recording begins when it has room`, { skip }, () => visit(GIVEN, (server) => {
    server.begins = { status, retryAfter_s: 2 };
  }, async ({ server, page }) => {
    const state = await started(page);
    assert.equal(state.phase, 'connecting');
    assert.equal(state.problem, 'All places are taken.');
    assert.ok(await startedMs(page) < 11_000);
    server.begins = 'yes';
    await isRecording(page);
    assert.equal(await page.evaluate('recorder.state.problem'), null);
    assert.equal((await stopped(page)).state.phase, 'finished');
  }));
}

test('what happens between consent and session is recorded by the study\'s rules', { skip }, () => visit(ASKED, (server) => {
  server.consentText = 'Please.';
  server.mask = ['.diary'];
  server.content = ['#comment'];
}, async ({ server, page }) => {
  await dialog(page);
  server.begins = { status: 503, retryAfter_s: 1 };
  await accept(page);
  await eventually('the refusal', async () => await page.evaluate('recorder.state.problem') !== null);
  await page.click('#buy');
  await page.click('#comment');
  await page.keyboard.type('kept');
  await page.click('#entry');
  await page.keyboard.type('Zq7');
  server.begins = 'yes';
  await isRecording(page);
  assert.equal((await stopped(page)).state.phase, 'finished');
  const rows = rowsOf(server.session, 'page');
  assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));
  assert.equal(rows[0]!.kind, 'document');
  assert.equal(rows.filter((r) => r.kind === 'click' && r.data!['target'] === 'button#buy').length, 1);
  const typed = (target: string) => rows.filter((r) => r.kind === 'input' && r.data!['target'] === target).map((r) => r.data!['inserted'] ?? '');
  assert.equal(typed('input#comment').join(''), 'kept');
  assert.deepEqual(typed('input#entry'), ['', '', '']);
  assert.ok(!JSON.stringify(rows).includes('Zq7'));
}));

test('a server that dies before the end does not hold stop()', { skip }, () => visit(GIVEN, () => undefined, async ({ server, page }) => {
  await started(page);
  await isRecording(page);
  await server.kill();
  await page.click('#buy');
  const end = await stopped(page);
  assert.ok(end.ms < 11_000, `stop() took ${end.ms} ms`);
  assert.equal(end.state.phase, 'finishing');
  assert.match(end.state.problem!, /server/);
  // Another recorder of this page may begin. It sends what is left of the first one.
  await server.start();
  assert.equal(await page.evaluate('create() !== recorder'), true);
  assert.equal(await page.evaluate('(window.recorder = create()).start().then((state) => state.phase)'), 'recording');
  await eventually('the end of the first session', () => [...server.sessions.values()][0]!.finished !== null);
  assert.equal((await page.evaluate('recorder.stop()') as State).phase, 'finished');
  assert.equal(server.sessions.size, 2);
}));

test('records that were captured by other rules than the session\'s are counted as lost', { skip }, () => visit(ASKED, (server) => {
  server.consentText = 'Please.';
}, async ({ server, page }) => {
  await dialog(page);
  server.begins = { status: 503, retryAfter_s: 1 };
  await accept(page);
  await eventually('the refusal', async () => await page.evaluate('recorder.state.problem') !== null);
  for (let k = 0; k < 7; k++) await page.evaluate(`recorder.mark('m', ${k})`);
  server.mask = ['.diary']; // the study was changed
  server.begins = 'yes';
  await isRecording(page);
  await page.evaluate("recorder.mark('kept')");
  assert.equal((await stopped(page)).state.phase, 'finished');
  const rows = rowsOf(server.session, 'page');
  const gaps = rows.flatMap((r) => (r.gap ? [r.gap] : []));
  assert.equal(gaps.length, 1);
  assert.ok(gaps[0]!.lost >= 7, `${gaps[0]!.lost} records`);
  assert.deepEqual(rows.filter((r) => r.kind === 'mark').map((r) => r.data!['name']), ['kept']);
}));

test('a database that does not answer: start and stop end in time', { skip }, async () => {
  // It does not open at all, or writes nothing.
  for (const broken of ['IDBFactory.prototype.open = () => new EventTarget()', 'IDBObjectStore.prototype.put = () => new EventTarget(), IDBTransaction.prototype.addEventListener = () => undefined, Object.defineProperty(IDBTransaction.prototype, "oncomplete", { set() {} })']) {
    const server = await new ProtocolServer().start();
    const shop = await site({ '/': PAGE(server.url, GIVEN).replace('<script', `<script>${broken};</script><script`) });
    const page = await browser.newPage();
    try {
      await page.goto(shop.url);
      const state = await started(page);
      assert.ok(await startedMs(page) < 11_000, `start() took ${await startedMs(page)} ms`);
      const isMemoryOnly = broken.startsWith('IDBFactory');
      if (isMemoryOnly) {
        await page.waitForFunction('recorder.state.acknowledged > 0', null, { timeout: 20_000 });
        assert.match(await page.evaluate('recorder.state.problem') as string, /stores nothing/, 'as long as the page lasts');
      }
      const end = await stopped(page);
      assert.ok(end.ms < 11_000, `stop() took ${end.ms} ms`);
      if (isMemoryOnly) {
        assert.deepEqual([state.phase, end.state.phase], ['recording', 'finished']);
        assert.match(state.problem!, /stores nothing/);
      } else {
        assert.deepEqual([state.phase, end.state.phase], ['failed', 'failed']);
        assert.match(state.problem!, /does not store the session/);
        await eventually('the end of the session on the server', () => server.session.finished !== null);
      }
      assert.equal(server.sessions.size, 1, 'one request for a session');
    } finally {
      await page.context().close();
      shop.close();
      await server.kill();
    }
  }
});

test('files that do not load: start and stop end in time', { skip }, async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  try {
    for (const [options, expected] of [[GIVEN, 'connecting'], [ASKED, 'failed']] as const) {
      await visit(`${options}, assets: 'http://127.0.0.1:${port}/'`, () => undefined, async ({ page }) => {
        assert.equal((await started(page)).phase, expected);
        assert.ok(await startedMs(page) < 11_000, `start() took ${await startedMs(page)} ms`);
        const end = await stopped(page);
        assert.ok(end.ms < 11_000, `stop() took ${end.ms} ms`);
        assert.equal(end.state.phase, 'failed');
      });
    }
  } finally {
    silent.close();
    silent.closeAllConnections();
  }
});

// ---- before consent ----------------------------------------------------------------------------------------------------

test('a full study says so, and asks nobody', { skip }, () => visit(ASKED, (server) => {
  server.consentText = 'Please.';
  server.closedBecause = 'The largest number of open sessions is reached.';
}, async ({ server, page }) => {
  const state = await started(page);
  assert.equal(state.phase, 'failed');
  assert.equal(state.problem, server.closedBecause);
  assert.ok(!await hasDialog(page));
}));

test('the study\'s own text is shown; the site\'s comes first', { skip }, async () => {
  await visit(ASKED, (server) => { server.consentText = 'We study shops.\n\nYou can stop.'; }, async ({ page }) => {
    const text = await said(page);
    assert.ok(text.includes('We study shops.') && text.includes('You can stop.') && !text.includes('part of a study'), text);
  });
  await visit('consent: { text: "Our own words." }', (server) => { server.consentText = 'We study shops.'; }, async ({ page }) => {
    const text = await said(page);
    assert.ok(text.includes('Our own words.') && !text.includes('We study shops.'), text);
  });
});

test('without a text of the study, what will be recorded is listed', { skip }, () => visit('camera: "scores", replay: true', (server) => {
  server.consentText = '';
  server.content = ['#comment'];
}, async ({ page }) => {
  const text = await said(page);
  for (const what of ['In some fields', 'The page is recorded as you see it', 'No picture is stored or sent', 'Passwords']) {
    assert.ok(text.includes(what), `${what} is not in: ${text}`);
  }
}));

/** As in Safari before 16.4. */
const NO_ADOPTED_STYLES = `
  delete Document.prototype.adoptedStyleSheets;
  delete ShadowRoot.prototype.adoptedStyleSheets;
  window.CSSStyleSheet = class { constructor() { throw new TypeError('Illegal constructor'); } };`;

test('a browser without constructable style sheets shows the dialog and the sign with their styles', { skip }, () => visitPage(
  browser, (server) => PAGE(server, ASKED), (server) => { server.consentText = 'Please.'; }, async ({ url, page }) => {
    await page.addInitScript(NO_ADOPTED_STYLES);
    await page.goto(url);
    assert.match(await said(page), /Please\./);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('DOM.enable');
    const { nodes } = await cdp.send('Accessibility.getFullAXTree');
    const { backendDOMNodeId } = nodes.find((n) => n.role?.value === 'dialog')!;
    const { model } = await cdp.send('DOM.getBoxModel', { backendNodeId: backendDOMNodeId! });
    assert.equal(model.width, 544, 'the width of the style: 34rem');
    await page.screenshot({ path: join(PICTURES, 'consent_no_adopted_styles.png') });
    await accept(page);
    assert.equal((await started(page)).phase, 'recording');
    await eventually('the sign', async () => (await words(page)).includes('Recording, without camera'));
    await page.screenshot({ path: join(PICTURES, 'sign_no_adopted_styles.png') });
  }));

test('a silent server delays the dialog by five seconds at most', { skip }, () => visit(ASKED, (server) => {
  server.consentText = 'We study shops.';
  server.begins = 'silent';
}, async ({ server, page }) => {
  await dialog(page);
  const shown_ms = await page.evaluate('performance.now() - begun_ms') as number;
  assert.ok(shown_ms > 4500 && shown_ms < 7000, `${shown_ms} ms`);
  assert.ok((await said(page)).includes('part of a study'));
  server.begins = 'yes';
  await page.keyboard.press('Escape');
  assert.equal((await started(page)).phase, 'declined');
}));

test('stop() closes the dialog, and that is no answer', { skip }, () => visit(ASKED, () => undefined, async ({ page }) => {
  await dialog(page);
  const end = await stopped(page);
  assert.equal(end.state.phase, 'failed');
  assert.match(end.state.problem!, /before the visitor answered/);
  assert.ok(!await hasDialog(page));
  await page.reload();
  await dialog(page);
}));

// ---- what a browser remembers ------------------------------------------------------------------------------------------

test('a no is remembered until the site asks again', { skip }, () => visit(ASKED, (server) => { server.consentText = 'Please.'; }, async ({ server, url, context, page }) => {
  await answer(page, 'Escape');
  assert.equal((await started(page)).phase, 'declined');
  const { invitations } = server;
  const other = await context.newPage();
  for (const again of [page, other]) {
    await again.goto(url);
    assert.equal((await started(again)).phase, 'declined');
    assert.ok(!await hasDialog(again));
  }
  assert.equal(server.invitations, invitations, 'the server does not hear of a visitor who refused');
  await page.evaluate('void (window.recorder = create({ askAgain: true })).start()');
  await accept(page);
  await isRecording(page);
  assert.equal((await stopped(page)).state.phase, 'finished');
}));

test('a yes is remembered as long as the text is the same, and tabs are one participant', { skip }, () => visit(ASKED, (server) => { server.consentText = 'Please.'; }, async ({ server, page, open }) => {
  await accept(page);
  assert.equal((await started(page)).phase, 'recording');
  const other = await open();
  assert.equal((await started(other)).phase, 'recording', 'without a dialog');
  const [first, second] = [...server.sessions.values()].map((s) => s.asked as { participant?: string; consent: object });
  assert.deepEqual([first!.participant, second!.participant], [undefined, 'sub-01']);
  assert.deepEqual(second!.consent, first!.consent, 'the same text at the same time');
  server.consentText = 'Please, with other words.';
  const third = await open();
  await accept(third);
  assert.equal((await started(third)).participant, 'sub-01');
  assert.notDeepEqual((([...server.sessions.values()][2]!.asked as typeof first)!.consent), first!.consent);
  const place = `${server.url}.shop`;
  const stored = await page.evaluate('Object.fromEntries(Object.entries(localStorage))') as Record<string, string>;
  assert.deepEqual(Object.keys(stored).sort(), [`affectograph.answer.${place}`, `affectograph.participant.${place}`]);
  assert.equal(stored[`affectograph.participant.${place}`], 'sub-01');
  assert.deepEqual(Object.keys(JSON.parse(stored[`affectograph.answer.${place}`]!) as object).sort(), ['answer', 'given_utc_ms', 'text_sha256']);
}));

test('tabs that open at the same time are one participant, and one answer is enough', { skip }, () => visit(ASKED, (server) => { server.consentText = 'Please.'; }, async ({ server, url, context, page }) => {
  const others = [await context.newPage(), await context.newPage()];
  for (const other of others) await other.goto(url);
  for (const tab of [page, ...others]) await dialog(tab);
  await page.bringToFront();
  await accept(page);
  for (const tab of [page, ...others]) assert.equal((await started(tab)).phase, 'recording');
  const participants = [...server.sessions.values()].map((s) => s.asked['participant']);
  assert.deepEqual(participants, [undefined, 'sub-01', 'sub-01']);
}));

test('the site\'s own pseudonym is used and not remembered', { skip }, () => visit(`${GIVEN}, participant: 'sub-77'`, () => undefined, async ({ server, page }) => {
  assert.equal((await started(page)).participant, 'sub-77');
  assert.equal(server.session.asked['participant'], 'sub-77');
  assert.equal(await page.evaluate('Object.keys(localStorage).filter((k) => k.includes("participant")).length'), 0);
}));

run();
