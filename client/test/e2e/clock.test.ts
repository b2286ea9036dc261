// With the real server: whatever happens to a page, its session is intact and its clock is exact.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually, launch, site, skip as noBrowser } from './browser';
import { noProgram, query } from './program';
import { browser, program, withServer } from './served';

const skip = noBrowser || noProgram();
/** Round trips are longer on a machine that is busy with other work. */
const MOST_MS = loadavg()[0]! > 2 * cpus().length ? 20 : 5;
withServer(skip, () => launch());

const PAGE = (key: string) => `<!doctype html><title>Page</title><p>Page</p><a href="/other">Other</a>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${program.url}', study: 'smile', key: '${key}', camera: 'off', consentGiven: true });
  const started = recorder.start();
  // The system's time of each mark, which does not depend on the clock under test.
  setInterval(() => recorder.mark('m', { utc_ms: Date.now() }), 50);
</script>`;

interface Shown { state: string; grade: string; clock_uncertainty_ms: number; clock_jumps: { count: number; events: number; largest_step_s: number } | null }
interface Mark { at_ms: number; utc_ms: number; document: number }

/** The marks of a session, and the wall time of its zero. */
const marksOf = (session: string): Mark[] => query<{ at_ns: number; data: string }>(session,
  "SELECT at_ns, data FROM event WHERE stream = 'page' AND kind = 'mark' ORDER BY seq").map((row) => {
  const data = JSON.parse(row.data) as { data: { utc_ms: number }; document: number };
  return { at_ms: row.at_ns * 1e-6, utc_ms: data.data.utc_ms, document: data.document };
});

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** How far each mark is from where most marks are. */
const errorsMs = (marks: Mark[]): number[] => {
  const ahead = marks.map((m) => m.at_ms - m.utc_ms);
  return ahead.map((ms) => Math.abs(ms - median(ahead)));
};

/** Runs `visit` on a page of its own, ends the recording and returns the session. */
const record = async (visit: (page: Page, shop: string) => Promise<void>, init = ''): Promise<string> => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = PAGE(program.key(shop.url));
  pages['/other'] = pages['/']!;
  const page = await browser.newPage();
  try {
    if (init !== '') await page.addInitScript(init);
    await page.goto(shop.url);
    await page.evaluate('started');
    await visit(page, shop.url);
    const last = page.context().pages().at(-1)!;
    const ended = await last.evaluate('recorder.stop()') as { phase: string; problem: string | null };
    assert.deepEqual([ended.phase, ended.problem], ['finished', null]);
  } finally {
    await page.context().close();
    shop.close();
  }
  const sessions = program.recorded().filter((s) => !earlier.has(s));
  assert.equal(sessions.length, 1, 'one session');
  await eventually('the session is closed', () => shown(sessions[0]!).state === 'closed');
  return sessions[0]!;
};

const shown = (session: string) => JSON.parse(program.run('show', '--json', session)) as Shown;

/** `verify` must find nothing, and the clock must be exact. Returns the marks. */
const isExact = (session: string, documents: number): Mark[] => {
  assert.match(program.run('verify', session), /^intact$/m); // a damaged session is an error
  const quality = shown(session);
  const marks = marksOf(session);
  const worst = Math.max(...errorsMs(marks));
  console.log(`${new Set(marks.map((m) => m.document)).size} documents, ${marks.length} marks, clock ± ${quality.clock_uncertainty_ms.toFixed(2)} ms, times within ${worst.toFixed(1)} ms`);
  assert.ok(quality.clock_uncertainty_ms <= MOST_MS, `± ${quality.clock_uncertainty_ms} ms`);
  assert.equal(quality.clock_jumps, null);
  assert.notEqual(quality.grade, 'F', 'no camera was asked for');
  assert.ok(worst <= 2 * MOST_MS, `${worst} ms`); // a timer may end between the two readings of a mark
  assert.equal(new Set(marks.map((m) => m.document)).size, documents);
  return marks;
};

test('a page that is reloaded', { skip, timeout: 60_000 }, async () => {
  isExact(await record(async (page) => {
    for (let k = 0; k < 3; k++) {
      await page.waitForTimeout(700);
      await page.reload();
      await page.evaluate('started');
    }
    await page.waitForTimeout(700);
  }), 4);
});

/** The page that the visitor has gone to records. */
const begun = async (page: Page) => {
  await page.waitForFunction('typeof started !== "undefined"');
  await page.evaluate('started');
};

test('a visitor who goes from page to page and back', { skip, timeout: 60_000 }, async () => {
  isExact(await record(async (page) => {
    await page.waitForTimeout(700);
    await page.click('a');
    await begun(page);
    await page.waitForTimeout(700);
    await page.goBack();
    await begun(page);
    await page.waitForTimeout(700);
  }), 3);
});

// Chromium does not cache documents while it is automated, so the test dispatches the events of the cache itself.
test('a document that returns from the back/forward cache', { skip, timeout: 60_000 }, async () => {
  isExact(await record(async (page) => {
    for (let k = 0; k < 2; k++) {
      await page.waitForTimeout(700);
      await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
      await page.waitForTimeout(700);
      await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    }
    await page.waitForTimeout(700);
  }), 3);
});

test('ten tabs, one after the other', { skip, timeout: 120_000 }, async () => {
  for (let k = 0; k < 10; k++) {
    isExact(await record(async (page) => {
      await page.waitForTimeout(300);
      await page.reload();
      await page.evaluate('started');
      await page.waitForTimeout(300);
    }), 2);
  }
});

test('a page without network', { skip, timeout: 60_000 }, async () => {
  isExact(await record(async (page) => {
    await page.waitForTimeout(700);
    await page.context().setOffline(true);
    await page.waitForTimeout(3000);
    await page.context().setOffline(false);
    await page.reload();
    await page.evaluate('started');
    await page.waitForTimeout(700);
  }), 2);
});

test('a server that is killed, and a page that is reloaded meanwhile', { skip, timeout: 60_000 }, async () => {
  isExact(await record(async (page) => {
    await page.waitForTimeout(700);
    await program.kill9();
    await page.waitForTimeout(1500);
    await page.reload();
    await page.waitForTimeout(1500);
    await program.start();
    await page.evaluate('started');
    await page.waitForTimeout(1500);
  }), 2);
});

const SLEEP_MS = 4000;
/** `sleep()` stops the page, and its clock stands still meanwhile. */
const SLEEPER = `
  const now = performance.now.bind(performance);
  let stood = 0;
  performance.now = () => now() - stood;
  window.sleep = () => { const from = now(); while (now() - from < ${SLEEP_MS}); stood += ${SLEEP_MS}; };`;

test('a computer that slept while the page\'s clock stood still', { skip, timeout: 60_000 }, async () => {
  const session = await record(async (page) => {
    await page.waitForTimeout(3000);
    await page.evaluate('sleep()');
    await page.waitForTimeout(6000);
  }, SLEEPER);
  assert.match(program.run('verify', session), /^intact$/m);
  const { clock_jumps, clock_uncertainty_ms } = shown(session);
  const errors = errorsMs(marksOf(session));
  const wrong = errors.filter((ms) => ms > 2 * MOST_MS).length;
  console.log(`${wrong} of ${errors.length} marks have a wrong time, ${JSON.stringify(clock_jumps)}, clock ± ${clock_uncertainty_ms.toFixed(2)} ms`);
  assert.ok(clock_jumps, 'the jump is recorded');
  assert.deepEqual([clock_jumps.count, Math.round(clock_jumps.largest_step_s * 10)], [1, SLEEP_MS / 100]);
  assert.ok(wrong <= clock_jumps.events, 'all of them are counted');
  assert.ok(clock_jumps.events <= 150, 'and few others');
  assert.ok(errors.slice(0, 20).concat(errors.slice(-60)).every((ms) => ms <= 2 * MOST_MS), 'before the sleep and soon after it all is right');
  assert.ok(clock_uncertainty_ms <= MOST_MS);
});

const parentOf = (pid: number): number => Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

/** The renderers that this process started. */
const renderers = (): number[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) return false;
    let parent = parentOf(pid);
    while (parent > 1 && parent !== process.pid) parent = parentOf(parent);
    return parent === process.pid;
  } catch {
    return false; // it has ended
  }
});

test('a page that the system stopped', { skip, timeout: 60_000 }, async () => {
  isExact(await record(async (page) => {
    await page.waitForTimeout(1500);
    const pids = renderers();
    assert.ok(pids.length > 0);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await page.waitForTimeout(4000);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    await page.waitForTimeout(2500);
  }), 1);
});
