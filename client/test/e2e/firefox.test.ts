// The basic recording in Firefox ESR, over WebDriver BiDi, with the real server.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import puppeteer, { type Browser } from 'puppeteer-core';
import { need } from '../need';
import { eventually, site } from './browser';
import { Program, noProgram, query } from './program';
import { IS_TLS } from './tls';

const FIREFOX = process.env['AFFECTOGRAPH_FIREFOX'] ?? '/usr/bin/firefox-esr';
const skip = noProgram() || need(existsSync(FIREFOX) ? false : `there is no ${FIREFOX}`);

let browser: Browser;
const program = new Program();
before(async () => {
  if (skip) return;
  browser = await puppeteer.launch({
    browser: 'firefox', executablePath: FIREFOX, headless: true, protocolTimeout: 120_000, timeout: 120_000, acceptInsecureCerts: IS_TLS,
    extraPrefsFirefox: { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true },
  });
  await program.start();
});
after(async () => {
  if (!skip) await browser.close();
  await program.kill9();
  program.remove();
});

const PAGE = (server: string, key: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<h1>Shop</h1><button id="buy">Buy now</button> <textarea id="note"></textarea> <input id="pw" type="password">
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', camera: 'video', replay: true });
  const started = recorder.start();
</script>`;

test('Firefox records a visit: consent, events, secrets, replay, video, a reload and a pause', { skip, timeout: 240_000 }, async () => {
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = PAGE(program.url, program.key(shop.url));
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  try {
    console.log(await browser.version());
    await page.goto(shop.url);
    await page.waitForSelector('[data-affectograph=consent]');
    for (const key of ['Tab', 'Tab', 'Enter'] as const) await page.keyboard.press(key);
    await eventually('the recording', async () => await page.evaluate('recorder.state.phase') === 'recording', 60_000);
    await eventually('the camera', async () => await page.evaluate('recorder.state.camera') === 'on', 60_000);
    await page.click('#buy');
    await page.click('#note');
    await page.keyboard.type('It was awful');
    for (let k = 0; k < 5; k++) await page.keyboard.press('Backspace');
    await page.click('#pw');
    await page.keyboard.type('Zq7secret');
    await page.evaluate('recorder.mark("m", 1)');
    await new Promise((resolve) => { setTimeout(resolve, 3000); });
    await page.reload();
    await eventually('the recording goes on', async () => await page.evaluate('recorder.state.phase') === 'recording', 60_000);
    await page.evaluate('recorder.pause()');
    await page.click('#buy');
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    await page.evaluate('recorder.resume()');
    await page.evaluate('recorder.mark("m", 2)');
    const ended = await page.evaluate('recorder.stop()') as { phase: string; problem: string | null };
    assert.deepEqual([ended.phase, ended.problem], ['finished', null]);
  } finally {
    await page.close();
    shop.close();
  }
  const [session] = program.recorded();
  await eventually('the end of the session', () => program.isClosed(session!), 90_000);
  assert.match(program.run('verify', session!), /^intact$/m);
  const rows = query<{ seq: number; kind: string; data: string }>(session!, "SELECT seq, kind, data FROM event WHERE stream = 'page' ORDER BY seq")
    .map((r) => ({ ...r, data: JSON.parse(r.data) as Record<string, unknown> }));
  assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));
  assert.equal(rows.filter((r) => r.kind === 'click' && r.data['target'] === 'button#buy').length, 1, 'not the one in the pause');
  const typed = rows.filter((r) => r.kind === 'input' && r.data['target'] === 'textarea#note');
  assert.equal(typed.map((r) => r.data['inserted'] ?? '').join(''), 'It was awful');
  assert.equal(typed.map((r) => r.data['deleted'] ?? '').join(''), 'lufwa');
  assert.deepEqual(rows.filter((r) => r.kind === 'mark').map((r) => r.data['data']), [1, 2]);
  const replay = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'replay'");
  assert.ok(replay.length > 2);
  assert.ok(!JSON.stringify([rows, replay]).includes('Zq7'));
  const converted = query<{ data: string }>(session!, "SELECT kind || ' ' || data AS data FROM event WHERE stream = 'server' AND kind LIKE 'video%'");
  const [{ n }] = query<{ n: number }>(session!, 'SELECT count(*) AS n FROM frame') as [{ n: number }];
  console.log(`${rows.length} events, ${replay.length} of the replay, ${n} frames, ${converted[0]?.data}`);
  assert.ok(n > 30);
  assert.deepEqual(errors, []);
});

const WAYS = (server: string, key: string) => `<!doctype html><title>Ways</title><button id="buy">Buy</button> <a href="/other">Other</a>
<script src="/dist/affectograph.min.js"></script>
<script>
  var returns = 0;
  addEventListener('pageshow', (event) => { returns += event.persisted; });
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', camera: 'off', consentGiven: true });
  recorder.start();
</script>`;

test('Firefox records the way to another page and back', { skip, timeout: 120_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = pages['/other'] = WAYS(program.url, program.key(shop.url));
  const page = await browser.newPage();
  const isRecording = () => eventually('the recording', async () => await page.evaluate('recorder.state.phase') === 'recording', 60_000);
  try {
    await page.goto(shop.url);
    await isRecording();
    await page.click('#buy');
    await Promise.all([page.waitForNavigation(), page.click('a')]);
    await isRecording();
    await page.click('#buy');
    await page.evaluate('void setTimeout(() => history.back(), 50)');
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    await eventually('the first page again', async () => await page.evaluate('location.pathname') === '/');
    await isRecording();
    console.log(`from the back/forward cache: ${String(await page.evaluate('returns === 1'))}`);
    await page.click('#buy');
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
  } finally {
    await page.close();
    shop.close();
  }
  const [session, ...others] = program.recorded().filter((s) => !earlier.has(s));
  assert.deepEqual(others, [], 'one session');
  await eventually('the end of the session', () => program.isClosed(session!), 40_000);
  assert.match(program.run('verify', session!), /^intact$/m);
  const clicks = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'page' AND kind = 'click' ORDER BY seq")
    .map(({ data }) => JSON.parse(data) as { target: string; document: number });
  assert.deepEqual(clicks.filter((c) => c.target === 'button#buy').map((c) => c.document), [1, 2, 3]);
  const { clock_uncertainty_ms } = JSON.parse(program.run('show', '--json', session!)) as { clock_uncertainty_ms: number };
  console.log(`clock ± ${clock_uncertainty_ms.toFixed(2)} ms`);
  assert.ok(clock_uncertainty_ms <= 5);
});
