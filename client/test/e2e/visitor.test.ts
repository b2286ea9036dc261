// What visitors decide: the recording sign, pause, withdrawal and own data, with the real server.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { accept, answer, eventually, launch, site, skip as noBrowser, watch, words } from './browser';
import { noProgram, query } from './program';
import { PICTURES, browser, program, withServer } from './served';

const skip = noBrowser || noProgram();
withServer(skip, () => launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']));

const PAGE = (server: string, key: string, options: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<h1>Shop</h1><button id="buy">Buy now</button> <textarea id="note"></textarea> <p id="greeting"></p>
<script src="/dist/affectograph.min.js"></script>
<script>
  window.create = (more = {}) => affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', ${options}, ...more });
  window.recorder = create();
  const seen = [];
  recorder.events$.subscribe((event) => seen.push(event.kind));
  window.started = recorder.start();
</script>`;

interface State { phase: string; problem: string | null; session: string; isPaused: boolean; camera: string; offersOwnData: boolean }
interface Visit { page: Page; context: BrowserContext; url: string; session(): string }
const visit = async (options: string, work: (visit: Visit) => Promise<void>) => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = PAGE(program.url, program.key(shop.url), options);
  const context = await browser.newContext({ acceptDownloads: true });
  const errors = watch(context);
  try {
    const page = await context.newPage();
    await page.goto(shop.url);
    await work({
      page, context, url: shop.url,
      session: () => {
        const added = program.recorded().filter((s) => !earlier.has(s));
        assert.equal(added.length, 1, 'one session');
        return added[0]!;
      },
    });
    assert.deepEqual(errors, [], 'no error of ours reaches the page');
  } finally {
    await context.close();
    shop.close();
  }
};
/** A frame without a time of capture has the time of its presentation, which may be later than the pause. */
const LATE_S = 1;
const state = (page: Page) => page.evaluate('recorder.state') as Promise<State>;
const stop = (page: Page) => page.evaluate('recorder.stop()') as Promise<State>;
interface Event { stream: string; at_s: number; kind: string; data: Record<string, unknown> }
const events = (session: string, stream: string): Event[] =>
  query<{ stream: string; at_ns: number; kind: string; data: string }>(session, `SELECT stream, at_ns, kind, data FROM event WHERE stream = '${stream}' ORDER BY seq`)
    .map((e) => ({ stream: e.stream, at_s: e.at_ns * 1e-9, kind: e.kind, data: JSON.parse(e.data) as Record<string, unknown> }));

/** Opens the sign and presses one of its buttons. Its shadow root is closed, so the test uses the keyboard. */
const press = async (page: Page, name: string): Promise<void> => {
  const cdp = await page.context().newCDPSession(page);
  const find = async () => {
    const { nodes } = await cdp.send('Accessibility.getFullAXTree');
    return nodes.find((n) => n.role?.value === 'button' && n.name?.value === name && !n.ignored);
  };
  if (!await find()) {
    const { nodes } = await cdp.send('Accessibility.getFullAXTree');
    const sign = nodes.find((n) => ['DisclosureTriangle', 'disclosureTriangle'].includes(String(n.role?.value)))!;
    assert.ok(sign, 'the sign is there');
    await clickNode(page, sign.backendDOMNodeId!);
  }
  await eventually(`the button ${name}`, async () => await find() !== undefined);
  await clickNode(page, (await find())!.backendDOMNodeId!);
};

/** A real click, as a visitor makes it. */
const clickNode = async (page: Page, backendNodeId: number): Promise<void> => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('DOM.enable');
  const { model } = await cdp.send('DOM.getBoxModel', { backendNodeId });
  const [x1, y1, , , x2, y2] = model.border as [number, number, number, number, number, number];
  await page.mouse.click((x1 + x2) / 2, (y1 + y2) / 2);
};

test('the sign says what is recorded, and is not shown before consent', { skip, timeout: 60_000 }, async () => {
  await visit('camera: "off"', async ({ page }) => {
    await eventually('the dialog', async () => (await words(page)).includes('You are recorded.'));
    assert.ok(!(await words(page)).includes('Recording'));
    await accept(page);
    await page.evaluate('started');
    await eventually('the sign', async () => (await words(page)).includes('Recording, without camera'));
    assert.equal(await page.evaluate('document.querySelectorAll("[data-affectograph=sign]").length'), 1);
    await page.screenshot({ path: join(PICTURES, 'visitor_sign.png') });
    await stop(page);
    assert.ok(!(await words(page)).includes('Recording'), 'nothing is recorded any more');
  });
  await visit('camera: "video", consentGiven: true', async ({ page }) => {
    await page.evaluate('started');
    await eventually('the sign with camera', async () => (await words(page)).includes('Recording, with camera'));
    await stop(page);
  });
  await visit('consentGiven: true, sign: false', async ({ page }) => {
    await page.evaluate('started');
    await page.waitForTimeout(500);
    assert.equal(await page.evaluate('document.querySelectorAll("[data-affectograph]").length'), 0);
    await stop(page);
  });
});

test('while the recording is paused nothing is captured, also after a reload', { skip, timeout: 120_000 }, () =>
  visit('camera: "video", replay: true, consentGiven: true', async ({ page, session }) => {
    await page.evaluate('started');
    await page.click('#buy');
    await page.waitForTimeout(2500);
    await press(page, 'Pause');
    assert.equal((await state(page)).isPaused, true);
    await eventually('the camera is off', async () => (await state(page)).camera === 'off');
    assert.ok((await words(page)).includes('Recording paused'));
    await page.screenshot({ path: join(PICTURES, 'visitor_paused.png') });
    const before = (await page.evaluate('seen.length')) as number;
    await page.click('#note');
    await page.keyboard.type('quiltermoss');
    await page.evaluate('recorder.mark("left out")');
    await page.evaluate("document.getElementById('greeting').textContent = 'brindlewax'");
    await page.waitForTimeout(2000);
    assert.equal(await page.evaluate('seen.length'), before, 'the page hears of nothing either');
    await page.reload();
    await page.evaluate('started');
    assert.equal((await state(page)).isPaused, true, 'a reload is no consent');
    await page.click('#buy');
    await page.waitForTimeout(1000);
    await press(page, 'Go on');
    await page.evaluate("document.getElementById('greeting').textContent = 'Welcome back'");
    await page.click('#buy');
    await page.waitForTimeout(4000);
    const ended = await stop(page);
    assert.deepEqual([ended.phase, ended.problem], ['finished', null]);

    const folder = session();
    await eventually('the session is closed', () => program.isClosed(folder), 60_000)
      .catch((error: unknown) => { throw new Error(`${program.run('show', folder)}\n${JSON.stringify(events(folder, 'server'))}`, { cause: error }); });
    const health = events(folder, 'health');
    const [from_s, until_s] = ['paused', 'resumed'].map((kind) => health.find((e) => e.kind === kind)!.at_s) as [number, number];
    assert.ok(until_s - from_s > 3, `${from_s} to ${until_s} s`);
    assert.deepEqual(health.map((e) => e.kind), ['camera_started', 'paused', 'resumed', 'camera_started']);
    for (const stream of ['page', 'replay']) {
      const within = events(folder, stream).filter((e) => e.at_s > from_s && e.at_s < until_s);
      assert.deepEqual(within.map((e) => [e.stream, e.kind, e.at_s]), []);
    }
    const frames = query<{ n: number; before: number; after: number }>(folder, `SELECT count(*) AS n, sum(at_ns < ${from_s * 1e9}) AS before,
      sum(at_ns > ${until_s * 1e9}) AS after FROM frame`)[0]!;
    console.log(JSON.stringify(events(folder, 'server').find((e) => e.kind === 'video_converted')?.data));
    console.log(`pause of ${(until_s - from_s).toFixed(1)} s, ${frames.n} frames: ${frames.before} before and ${frames.after} after it`);
    const between = query<{ after_s: number }>(folder, `SELECT at_ns * 1e-9 - ${from_s} AS after_s FROM frame WHERE at_ns > ${(from_s + LATE_S) * 1e9} AND at_ns < ${until_s * 1e9}`);
    assert.deepEqual(between, [], `frames in the pause of ${until_s - from_s} s`);
    assert.ok(frames.before > 5 && frames.after > 5); // a busy machine gives few
    const all = JSON.stringify([...events(folder, 'page'), ...events(folder, 'replay')]);
    for (const word of ['quiltermoss', 'brindlewax', 'left out']) assert.ok(!all.includes(word), word);
    assert.ok(all.includes('Welcome back'));
    assert.equal(events(folder, 'page').filter((e) => e.kind === 'click' && e.data['target'] === 'button#buy').length, 2);
    const quality = JSON.parse(program.run('show', '--json', folder)) as { end: { pauses: { count: number; seconds: number } }; frames_expected: number; frames_stored: number; largest_gap_s: number };
    assert.equal(quality.end.pauses.count, 1);
    assert.ok(Math.abs(quality.end.pauses.seconds - (until_s - from_s)) < 0.01);
    assert.ok(quality.frames_expected < 1.3 * quality.frames_stored, JSON.stringify(quality));
    assert.ok(quality.largest_gap_s < until_s - from_s, `${quality.largest_gap_s} s`);
    assert.match(program.run('verify', folder), /^intact$/m);
  }));

test('a block of the main thread that began in a pause is not recorded after it', { skip, timeout: 60_000 }, () =>
  visit('consentGiven: true', async ({ page, session }) => {
    await page.evaluate('started');
    await page.evaluate('recorder.pause()');
    // The browser tells of the block when its task has ended, which is after the pause.
    await page.evaluate('setTimeout(() => { const until = performance.now() + 400; while (performance.now() < until); recorder.resume(); }, 200)');
    await page.waitForTimeout(1500);
    assert.equal((await stop(page)).phase, 'finished');
    const health = events(session(), 'health');
    const [from_s, until_s] = ['paused', 'resumed'].map((kind) => health.find((e) => e.kind === kind)!.at_s) as [number, number];
    const within = events(session(), 'page').filter((e) => e.at_s > from_s && e.at_s < until_s);
    assert.deepEqual(within.map((e) => [e.kind, e.at_s - from_s]), []);
  }));

test('what was typed during a pause stays masked after it', { skip, timeout: 60_000 }, () =>
  visit('replay: true, consentGiven: true, mask: ["#note"]', async ({ page, session }) => {
    await page.evaluate('started');
    await page.evaluate('recorder.pause()');
    await page.click('#note');
    await page.keyboard.type('quiltermoss');
    await page.evaluate("recorder.resume(); document.getElementById('greeting').textContent = 'Hello quiltermoss'");
    await page.waitForTimeout(800);
    await stop(page);
    const folder = session();
    const all = JSON.stringify([...events(folder, 'page'), ...events(folder, 'replay')]);
    assert.ok(!all.includes('quiltermoss') && all.includes('*********'));
    assert.equal(events(folder, 'page').filter((e) => e.kind === 'document').length, 2, 'the page is described again');
  }));

test('a visitor deletes what was recorded: it is gone at once, and confirmed', { skip, timeout: 120_000 }, () =>
  visit('camera: "video", replay: true', async ({ page, context, session, url }) => {
    await accept(page);
    await page.evaluate('started');
    await page.click('#buy');
    await page.waitForTimeout(2500);
    const folder = session();
    assert.ok(existsSync(folder));
    await press(page, 'Delete what was recorded…');
    await page.screenshot({ path: join(PICTURES, 'visitor_question.png') });
    await press(page, 'Keep');
    assert.equal((await state(page)).phase, 'recording');
    await press(page, 'Delete what was recorded…');
    await press(page, 'Delete');
    await eventually('the confirmation', async () => (await words(page)).includes('Deleted. Nothing of this visit is stored'));
    await page.screenshot({ path: join(PICTURES, 'visitor_deleted.png') });
    const { phase, problem } = await state(page);
    assert.deepEqual([phase, problem], ['withdrawn', null]);
    assert.ok(!existsSync(folder), 'no file is left');
    await page.click('#buy');
    await page.waitForTimeout(1000);
    assert.deepEqual(await page.evaluate('indexedDB.databases().then(async ([db]) => { const open = await new Promise((resolve) => { const r = indexedDB.open(db.name); r.onsuccess = () => resolve(r.result); }); const counts = []; for (const name of open.objectStoreNames) counts.push(await new Promise((resolve) => { const r = open.transaction(name).objectStore(name).count(); r.onsuccess = () => resolve(r.result); })); return counts; })'), [0, 0, 0, 0]);
    assert.equal((await page.evaluate('recorder.withdraw()') as State).phase, 'withdrawn');
    // The next page does not record, and does not ask.
    const other = await context.newPage();
    await other.goto(url);
    assert.equal((await other.evaluate('started') as State).phase, 'declined');
    await press(page, 'Close');
    assert.equal(await page.evaluate('document.querySelectorAll("[data-affectograph]").length'), 0);
  }));

test('a visitor downloads the own data where the study allows it', { skip, timeout: 60_000 }, async () => {
  await visit('consentGiven: true', async ({ page }) => {
    await page.evaluate('started');
    assert.equal((await state(page)).offersOwnData, false);
    const refused = await page.evaluate('recorder.ownData().catch((error) => error.message)') as string;
    assert.match(refused, /does not give visitors their data/);
    await stop(page);
  });
  const file = join(program.sessions, 'studies/smile/study.toml');
  const study = readFileSync(file, 'utf8');
  writeFileSync(file, `${study}\n[visitors]\nown_data = true\n`);
  try {
    await visit('consentGiven: true', async ({ page }) => {
      await page.evaluate('started');
      await page.click('#buy');
      await page.waitForTimeout(1000);
      const download = page.waitForEvent('download');
      await press(page, 'Download my data');
      const data = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as { study: string; records: { stream: string; kind?: string }[] };
      assert.equal(data.study, 'smile');
      assert.ok(data.records.some((r) => r.stream === 'page' && r.kind === 'click'));
      await page.screenshot({ path: join(PICTURES, 'visitor_own_data.png') });
      await stop(page);
    });
  } finally {
    writeFileSync(file, study);
  }
});

test('the answer is remembered in all tabs, another text is asked again, and tabs are one participant', { skip, timeout: 90_000 }, async () => {
  const file = join(program.sessions, 'studies/smile/study.toml');
  const study = readFileSync(file, 'utf8');
  try {
    await visit('camera: "off"', async ({ page, context, url }) => {
      const earlier = new Set(program.recorded());
      const begin = async (of: Page) => {
        await of.goto(url);
        return of.evaluate('started') as Promise<State & { participant: string }>;
      };
      await answer(page, 'Escape');
      assert.equal((await page.evaluate('started') as State).phase, 'declined');
      const other = await context.newPage();
      for (const again of [page, other]) assert.equal((await begin(again)).phase, 'declined', 'nobody is asked again');
      assert.equal(program.recorded().length, earlier.size);
      await page.evaluate('void (window.recorder = create({ askAgain: true })).start()');
      await accept(page);
      await eventually('the recording', async () => (await state(page)).phase === 'recording');
      const second = await begin(other);
      assert.equal(second.phase, 'recording', 'without a dialog');
      writeFileSync(file, study.replace('You are recorded.', 'You are recorded, with other words.'));
      const third = await context.newPage();
      await third.goto(url);
      await accept(third);
      const begun = await third.evaluate('started') as typeof second;
      assert.deepEqual([begun.phase, begun.participant], ['recording', second.participant]);
      for (const tab of [page, other, third]) assert.equal((await stop(tab)).phase, 'finished');
      const added = program.recorded().filter((s) => !earlier.has(s));
      assert.equal(added.length, 3);
      assert.equal(new Set(added.map((s) => dirname(s))).size, 1, 'one participant');
      const sums = added.map((s) => (JSON.parse(query<{ consent: string }>(s, 'SELECT consent FROM session')[0]!.consent) as { text_sha256: string }).text_sha256);
      assert.equal(new Set(sums).size, 2, 'each session has the text that was agreed to');
    });
  } finally {
    writeFileSync(file, study);
  }
});
