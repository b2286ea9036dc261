// The basic recording in WebKitGTK's own browser, with the real server: a real keyboard and pointer (XTest) on a display without
// a screen, and the browser's own back/forward cache. WebKit is the engine of Safari.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { need } from '../need';
import { eventually, site } from './browser';
import { Program, noProgram, query } from './program';
import { PICTURES } from './served';
import { IS_TLS } from './tls';

const MINI_BROWSER = process.env['AFFECTOGRAPH_MINI_BROWSER'] ?? `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;
const isInstalled = (tool: string): boolean => (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)));
const missing = ['Xvfb', 'openbox', 'xdotool', 'import'].find((tool) => !isInstalled(tool));
const skip = noProgram() || need(missing ? `there is no ${missing}` : existsSync(MINI_BROWSER) ? false : `there is no ${MINI_BROWSER}`);

const program = new Program();
const started: ChildProcess[] = [];
let display = '';
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, DISPLAY: display, LANG: 'C.UTF-8', GDK_BACKEND: 'x11' });
before(async () => {
  if (skip) return;
  const server = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x800x24', '-nolisten', 'tcp', '-noreset'], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(server);
  display = await new Promise((resolve) => server.stdout!.once('data', (number: Buffer) => resolve(`:${number.toString().trim()}`)));
  started.push(spawn('openbox', [], { env: environment(), stdio: 'ignore' }));
  await program.start();
});
after(async () => {
  for (const process of started.reverse()) process.kill();
  await program.kill9();
  program.remove();
});

const xdotool = (...args: string[]) => execFileSync('xdotool', args, { env: environment() });
/** Empty until there is a window. */
const windowTitle = (): string => {
  try {
    return execFileSync('xdotool', ['search', '--onlyvisible', '--class', 'MiniBrowser', 'getwindowname', '%@'], { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  } catch {
    return '';
  }
};
const click = (x: number, y: number) => xdotool('mousemove', String(x), String(y), 'sleep', '0.1', 'click', '1');
const type = (text: string) => xdotool('type', '--delay', '60', text);

const AT = { buy: [100, 45], note: [150, 120], secret: [150, 195], other: [60, 265], stop: [100, 345], back: [100, 420] } as const;
const PAGE = (title: string, server: string, key: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>
  body { margin: 0; }
  body > button, body > textarea, body > input, body > a { position: absolute; left: 20px; box-sizing: border-box; width: 260px; height: 50px; }
  #buy { top: 20px; } #note { top: 95px; } #secret { top: 170px; } #other { top: 245px; } #stop { top: 320px; } #back { top: 395px; }
</style>
<button id="buy">Buy now</button> <textarea id="note"></textarea> <input id="secret" type="password">
<a id="other" href="/other">Another page</a> <button id="stop" onclick="recorder.stop()">Stop</button>
<button id="back" onclick="history.back()">Back</button>
<script src="/dist/affectograph.min.js"></script>
<script>
  // The test reads the title of the window.
  const tell = (what) => { document.title += ', ' + what; };
  addEventListener('pageshow', (event) => { if (event.persisted) tell('returned'); });
  addEventListener('error', (event) => tell('error ' + event.message));
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', camera: 'off', replay: true });
  let last = '';
  recorder.state$.subscribe(({ phase, problem }) => {
    const now = phase + (problem ? ' (' + problem + ')' : '');
    if (now !== last) tell(now);
    last = now;
  });
  recorder.start();
</script>`;

const replayOf = (session: string) => query<{ data: string }>(session, "SELECT data FROM event WHERE stream = 'replay'");
const hasSnapshot = (session: string) => replayOf(session).some(({ data }) => (JSON.parse(data) as { type: number }).type === 2);

test('WebKit records a visit: consent, events, secrets, replay, another page and the back/forward cache', { skip, timeout: 180_000 }, async () => {
  console.log(execFileSync(MINI_BROWSER, ['--version'], { env: environment() }).toString().trim());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  const key = program.key(shop.url);
  pages['/'] = PAGE('Shop', program.url, key);
  pages['/other'] = PAGE('Other', program.url, key);
  const browser = spawn(MINI_BROWSER, [
    '--full-screen', '--private', '--enable-page-cache=true', ...(IS_TLS ? ['--ignore-tls-errors'] : []), shop.url,
  ], { env: environment(), stdio: 'ignore' });
  started.push(browser);
  let title = '';
  const told = async (what: RegExp) => {
    const isTold = () => {
      title = windowTitle();
      assert.doesNotMatch(title, /error/);
      return what.test(title);
    };
    try {
      await eventually(String(what), isTold, 40_000);
    } catch (error) {
      execFileSync('import', ['-window', 'root', join(PICTURES, 'webkit_failed.png')], { env: environment() });
      throw new Error(title, { cause: error });
    }
  };
  try {
    await told(/Shop.* asking/m);
    xdotool('sleep', '1');
    execFileSync('import', ['-window', 'root', join(PICTURES, 'webkit_consent.png')], { env: environment() });
    xdotool('sleep', '0.5', 'key', 'Tab', 'sleep', '0.2', 'key', 'Tab', 'sleep', '0.2', 'key', 'Return');
    await told(/Shop.* recording/m);
    // The replay's code is loaded after the recording has begun.
    await eventually('a snapshot of the page', () => program.recorded().some(hasSnapshot), 40_000);
    click(...AT.buy);
    click(...AT.note);
    type('It was awful');
    for (let k = 0; k < 5; k++) xdotool('key', 'BackSpace');
    click(...AT.secret);
    type('Zq7secret');
    click(...AT.other);
    await told(/Other.* recording/m);
    click(...AT.buy);
    xdotool('sleep', '0.5');
    click(...AT.back);
    await told(/Shop.* returned/m);
    xdotool('sleep', '1');
    click(...AT.buy);
    execFileSync('import', ['-window', 'root', join(PICTURES, 'webkit_recording.png')], { env: environment() });
    click(...AT.stop);
    await told(/Shop.* finished(?! \()/m); // no problem
  } finally {
    browser.kill();
    shop.close();
  }
  console.log(title.trim());
  const [session, ...others] = program.recorded();
  assert.deepEqual(others, [], 'one session');
  await eventually('the end', () => program.isClosed(session!));
  assert.match(program.run('verify', session!), /^intact$/m);
  const rows = query<{ seq: number; kind: string; data: string }>(session!, "SELECT seq, kind, data FROM event WHERE stream = 'page' ORDER BY seq")
    .map((row) => ({ ...row, data: JSON.parse(row.data) as Record<string, unknown> }));
  assert.deepEqual(rows.map((row) => row.seq), rows.map((_, k) => k));
  assert.deepEqual(rows.filter((row) => row.kind === 'click' && row.data['target'] === 'button#buy').map((row) => row.data['document']), [1, 2, 3]);
  const typed = rows.filter((row) => row.kind === 'input' && row.data['target'] === 'textarea#note').map((row) => row.data);
  assert.equal(typed.map((data) => data['inserted'] ?? '').join(''), 'It was awful');
  assert.equal(typed.map((data) => data['deleted'] ?? '').join(''), 'lufwa');
  assert.equal(rows.filter((row) => row.kind === 'input' && row.data['target'] === 'input#secret').length, 9);
  const replay = replayOf(session!);
  assert.ok(hasSnapshot(session!), 'a snapshot of the page');
  assert.ok(!JSON.stringify([rows, replay]).includes('Zq7'));
  const readings = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'page_clock' AND kind = 'measured'")
    .map(({ data }) => (JSON.parse(data) as { uncertainty_ms: number }).uncertainty_ms);
  console.log(`${rows.length} events, ${replay.length} of the replay, clock ± ${Math.min(...readings).toFixed(2)} ms`);
  assert.ok(Math.min(...readings) <= 5);
});
