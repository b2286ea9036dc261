// A browser that was killed and started again, and a document that returns from the back/forward cache.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BrowserContext, chromium } from 'playwright-core';
import { CHROMIUM, eventually, launch, site, skip } from './browser';
import { ProtocolServer, type Row, rowsOf } from './server';

const PAGE = (server: string) => `<!doctype html><title>Page</title><p>Page</p><a href="/other">Other</a>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'back', key: 'key', consentGiven: true });
  const started = recorder.start();
  let marks = 0;
  const mark = () => recorder.mark('m', marks++);
</script>`;
const isWhole = (rows: Row[]) => assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));
const marksOf = (rows: Row[]) => rows.filter((r) => r.kind === 'mark').map((r) => r.data!['data'] as number);

/** The processes of a browser, found by its profile folder. */
const kill9 = (profile: string) => {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(profile)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // The process has already ended.
    }
  }
};

test('a browser killed without network loses at most its last moment', { skip }, async () => {
  const server = await new ProtocolServer().start();
  const shop = await site({ '/': PAGE(server.url) });
  const profile = mkdtempSync(join(tmpdir(), 'affectograph-profile-'));
  const open = (): Promise<BrowserContext> => chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    const context = await open();
    const page = await context.newPage();
    await page.goto(shop.url);
    await page.evaluate('started');
    await page.evaluate('mark()');
    await eventually('the first mark', () => marksOf(rowsOf(server.session, 'page')).length === 1);
    await server.kill();
    await page.evaluate('void setInterval(mark, 20)');
    await page.waitForTimeout(4000);
    const made = await page.evaluate('marks') as number;
    kill9(profile);
    await context.close().catch(() => undefined);
    await server.start();
    const again = await open();
    const next = await again.newPage();
    await next.goto(shop.url);
    await next.evaluate('started');
    const first = [...server.sessions.values()][0]!;
    await eventually('what the killed browser had', () => marksOf(rowsOf(first, 'page')).length > 50);
    await next.waitForTimeout(500);
    const marks = marksOf(rowsOf(first, 'page'));
    isWhole(rowsOf(first, 'page'));
    assert.deepEqual(marks, marks.map((_, k) => k));
    console.log(`${marks.length} of ${made} marks survived kill -9: the last ${((made - marks.length) * 20)} ms are lost`);
    assert.ok(made - marks.length < 100);
    await again.close();
  } finally {
    kill9(profile);
    shop.close();
    await server.kill();
    rmSync(profile, { recursive: true, force: true });
  }
});

// Chromium does not cache documents while it is automated, so the test dispatches the events of the cache itself.
test('a document that was put aside goes on where the next one stopped', { skip }, async () => {
  const server = await new ProtocolServer().start();
  const shop = await site({ '/': PAGE(server.url) });
  const browser = await launch();
  const page = await browser.newPage();
  const tell = (kind: string) => page.evaluate(`dispatchEvent(new PageTransitionEvent('${kind}', { persisted: true }))`);
  try {
    await page.goto(shop.url);
    await page.evaluate('started');
    await page.evaluate('mark(); mark()');
    await tell('pagehide');
    await page.evaluate('mark()');
    await page.waitForTimeout(600);
    assert.deepEqual(marksOf(rowsOf(server.session, 'page')), [0, 1], 'it went out on leaving; what came later waits');
    await tell('pageshow');
    await page.evaluate('mark()');
    await eventually('what had waited', () => marksOf(rowsOf(server.session, 'page')).length === 4);
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
    const rows = rowsOf(server.session, 'page');
    isWhole(rows);
    assert.deepEqual(marksOf(rows), [0, 1, 2, 3]);
    assert.deepEqual([...new Set(rows.map((r) => r.document))], [1, 2]);
  } finally {
    await browser.close();
    shop.close();
    await server.kill();
  }
});
