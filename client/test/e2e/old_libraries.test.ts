// Pages with libraries that change the browser's own objects. They are recorded whole, and see no error of ours.
//
// Playwright's scripts would suffer from the same changes, so the page writes what the test reads into its title.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { eventually, launch, site, skip } from './browser';
import { Program, noProgram, query } from './program';
import { ProtocolServer, rowsOf } from './server';
import { together } from './together';

const { add: test, run } = together('old libraries and hostile pages', 3);

/** As Prototype.js 1.6 and its like did. */
const OLD = `
  Array.prototype.toJSON = function () { return '[' + Array.prototype.slice.call(this).join(', ') + ']'; };
  String.prototype.toJSON = function () { return '"' + this + '"'; };
  Number.prototype.toJSON = function () { return String(this); };
  Object.prototype.each = function (run) { for (const key in this) run(this[key], key); };
  Object.prototype.toQueryString = function () { return ''; };
`;
/** Methods of lists, `toJSON` and the constructor of promises throw. */
const HOSTILE = `
  for (const name of ['map', 'filter', 'forEach', 'find', 'findIndex', 'some', 'every', 'includes', 'reduce', 'join', 'flatMap', 'sort']) {
    Array.prototype[name] = function () { throw new Error(name + ' of the page'); };
  }
  Array.prototype.push = function (value) { this[this.length] = value; }; // gives back no length
  Array.prototype.toJSON = function () { throw new Error('toJSON of the page'); };
  Object.prototype.toJSON = function () { return {}; };
  Object.prototype.extra = { get: 1 };
  Promise.prototype.finally = function () { throw new Error('finally of the page'); };
  window.Promise = function () { throw new Error('Promise of the page'); };
`;

const PAGE = (server: string, before: string, later: string, options: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>-</title>
<button id="buy" style="position: fixed; left: 0; top: 0; width: 100px; height: 40px">Buy</button>
<input id="comment" style="position: fixed; left: 0; top: 50px; width: 100px; height: 40px">
<button id="stop" style="position: fixed; left: 0; top: 100px; width: 100px; height: 40px">Stop</button>
<script>${before}</script>
<script src="/dist/affectograph.min.js"></script>
<script>${later}</script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'old', key: 'key', ${options} });
  const errors = [];
  addEventListener('error', (event) => { errors[errors.length] = event.message; });
  addEventListener('unhandledrejection', (event) => { errors[errors.length] = String(event.reason); });
  let ended = '';
  const show = () => {
    let title = recorder.state.phase + '|' + recorder.state.camera + '|' + ended;
    for (let k = 0; k < errors.length; k++) title += '|' + errors[k];
    if (document.title !== title) document.title = title;
  };
  setInterval(show, 50);
  document.getElementById('stop').addEventListener('click', async () => { ended = (await recorder.stop()).phase; });
  recorder.start();
</script>`;

let browser: Browser;
before(async () => {
  if (!skip) browser = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
});
after(async () => { if (!skip) await browser.close(); });

const CASES: [string, string, string, string][] = [
  ['an old library', OLD, '', 'replay: true, camera: "video", consentGiven: true'],
  ['a hostile page', HOSTILE, '', 'camera: "video", consentGiven: true'],
  ['a page that becomes hostile', '', HOSTILE, 'camera: "video", consentGiven: true'],
  ['a hostile page that asks for consent', HOSTILE, '', 'camera: "off"'],
];
for (const [name, earlier, later, options] of CASES) {
  test(`${name} is recorded whole`, { skip }, async () => {
    const server = await new ProtocolServer().start();
    server.consentText = 'Please.';
    server.content = ['#comment'];
    const shop = await site({ '/': PAGE(server.url, earlier, later, options) });
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    const isShown = (what: RegExp) => eventually(`title ${what}`, async () => what.test(await page.title()))
      .catch(async (error: unknown) => { throw new Error(`${String(error)}: ${await page.title()}; ${errors.join('; ')}`); });
    try {
      await page.goto(shop.url);
      if (!options.includes('consentGiven')) {
        await isShown(/^asking/);
        for (const key of ['Tab', 'Tab', 'Enter']) await page.keyboard.press(key);
      }
      await isShown(options.includes('"video"') ? /^recording\|on/ : /^recording/);
      await page.mouse.click(50, 20);
      await page.mouse.click(50, 70);
      await page.keyboard.type('hello');
      await page.keyboard.press('Backspace');
      await page.waitForTimeout(2500);
      await page.mouse.click(50, 120);
      await isShown(/finished$/);
      assert.deepEqual(errors, []);
      const { session } = server;
      for (const stream of new Set([...session.rows.values()].map((row) => row.stream))) {
        const rows = rowsOf(session, stream);
        assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k), stream);
        assert.deepEqual(rows.filter((r) => r.gap), [], `${stream}: nothing was lost`);
      }
      const rows = rowsOf(session, 'page');
      assert.deepEqual(rows.filter((r) => r.kind === 'recorder_failed' || r.kind === 'error' || r.kind === 'rejection'), []);
      assert.equal(rows.filter((r) => r.kind === 'click' && r.data!['target'] === 'button#buy').length, 1);
      assert.equal(rows.filter((r) => r.kind === 'input').map((r) => r.data!['inserted'] ?? '').join(''), 'hello');
      assert.equal(rows.filter((r) => r.kind === 'input').at(-1)!.data!['deleted'], 'o');
      assert.ok(rowsOf(session, 'page_clock').length > 0);
      assert.equal(session.finished!.streams['page'], rows.length);
      if (options.includes('"video"')) {
        assert.ok(session.chunks.size > 0, 'video');
        const frames = rowsOf(session, 'video_frame').filter((r) => r.kind === 'frames');
        assert.ok(frames.every((r) => Array.isArray(r.data!['page_ms'])) && frames.length > 0, 'times of the frames');
      }
      if (options.includes('replay')) {
        const replay = rowsOf(session, 'replay').map((r) => r.data as { type: number; data: { node?: { childNodes?: unknown } } });
        assert.ok(replay.some((r) => r.type === 2 && Array.isArray(r.data.node?.childNodes)), 'the snapshot has its lists');
      }
    } finally {
      await page.context().close();
      shop.close();
      await server.kill();
    }
  });
}

test('the real server gets a visit of a hostile page whole', { skip: skip || noProgram(), timeout: 60_000 }, async () => {
  const server = new Program();
  await server.start();
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  const options = `study: 'open', key: '${server.key(shop.url, 'open')}', camera: "video", consentGiven: true`;
  pages['/'] = PAGE(server.url, OLD + HOSTILE, '', options);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const isShown = (what: RegExp) => eventually(`title ${what}`, async () => what.test(await page.title()));
  try {
    await page.goto(shop.url);
    await isShown(/^recording\|on/);
    await page.mouse.click(50, 20);
    await page.mouse.click(50, 70);
    await page.keyboard.type('hello');
    await page.waitForTimeout(1500);
    await page.mouse.click(50, 120);
    await isShown(/finished$/);
    assert.deepEqual(errors, []);
    const [session] = server.recorded();
    await eventually('the end', () => server.isClosed(session!), 40_000);
    assert.match(server.run('verify', session!), /^intact$/m);
    const typed = query<{ data: string }>(session!, "SELECT data FROM event WHERE kind = 'input' ORDER BY seq").map(({ data }) => (JSON.parse(data) as { inserted: string }).inserted);
    assert.equal(typed.join(''), 'hello');
    assert.equal(query<{ n: number }>(session!, "SELECT count(*) AS n FROM gap WHERE stream IN ('page', 'video', 'video_frame')")[0]!.n, 0);
    assert.ok(query<{ n: number }>(session!, 'SELECT count(*) AS n FROM frame')[0]!.n > 10);
  } finally {
    await page.context().close();
    shop.close();
    await server.kill9();
    server.remove();
  }
});

run();
