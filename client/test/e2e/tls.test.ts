// The real server over TLS: Chromium uses HTTP/2 for the dashboard and for a recording.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { need } from '../need';
import { eventually, launch, site, skip as noBrowser } from './browser';
import { noProgram, query } from './program';
import { PASSWORD, browser, login, program, temporaryFolder, withServer } from './served';
import { certificate, noCertificate } from './tls';

const skip = noBrowser || noProgram() || noCertificate();
const folder = temporaryFolder();
withServer(skip, () => launch(), (server) => {
  server.own(PASSWORD);
  return certificate(folder);
});

const MARKS = (server: string, key: string) => `<!doctype html><title>Marks</title><button>Press</button>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', consentGiven: true });
  const started = recorder.start();
</script>`;

/** The versions of HTTP that curl gets for its options, with the status. */
const curl = (option: string, path: string): string => execFileSync('curl', [
  '-sS', '--max-time', '20', '--insecure', option, '-o', '/dev/null', '-w', '%{http_version} %{http_code}', program.url + path,
]).toString();

test('curl gets HTTP/2 and HTTP/1.1', { skip: skip || need(existsSync('/usr/bin/curl') ? false : 'there is no curl') }, () => {
  for (const path of ['/dashboard/', '/v1/clock', '/v1/client/affectograph.min.js']) {
    assert.deepEqual([curl('--http2', path), curl('--http1.1', path)], ['2 200', '1.1 200'], path);
  }
});

test('a page records over TLS, and the owner sees the session', { skip, timeout: 120_000 }, async () => {
  assert.match(program.url, /^https:/);
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = MARKS(program.url, program.key(shop.url));
  // The certificate is self-signed.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const page = await context.newPage();
    await page.goto(shop.url);
    await page.evaluate('started');
    for (let k = 0; k < 20; k++) {
      await page.getByRole('button').click();
      await page.evaluate(`recorder.mark('m', ${k})`);
    }
    const stopped = await page.evaluate('recorder.stop()') as { phase: string; problem: string | null };
    assert.deepEqual([stopped.phase, stopped.problem], ['finished', null]);
    const [session] = program.recorded();
    const counts = query<{ kind: string; n: number }>(session!, "SELECT kind, count(*) AS n FROM event WHERE stream = 'page' GROUP BY kind");
    assert.deepEqual(['click', 'mark'].map((kind) => counts.find((c) => c.kind === kind)?.n), [20, 20]);

    const owner = await context.newPage();
    const response = await owner.goto(program.url);
    assert.equal(response!.headers()['strict-transport-security'], 'max-age=31536000');
    const protocol = await owner.evaluate(() => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol);
    assert.equal(protocol, 'h2');
    await login(owner);
    await owner.locator('table a').first().waitFor({ timeout: 10_000 });
    await owner.locator('.lamp.closed').waitFor({ timeout: 30_000 });
    assert.equal(await owner.locator('table a').count(), 1);
    // Live updates come over the same connection.
    const second = await context.newPage();
    await second.goto(shop.url);
    await second.evaluate('started');
    await owner.locator('.lamp.recording').waitFor();
    await eventually('two rows', async () => await owner.locator('table a').count() === 2);

    // The owner searches, finds an event, and closes the open session.
    await owner.getByLabel('Search').fill('no such session');
    await owner.getByText('No sessions.').waitFor();
    await owner.getByLabel('Search').fill('sub-w');
    await owner.locator('tr', { has: owner.locator('.lamp.closed') }).locator('a').click();
    await owner.getByLabel('Search events').fill('MARK');
    await eventually('the marks', async () => {
      const kinds = await owner.locator('.events tbody tr td:nth-child(3)').allTextContents();
      return kinds.length === 20 && kinds.every((kind) => kind === 'mark');
    });
    await owner.goto(program.url);
    await owner.locator('tr', { has: owner.locator('.lamp.recording') }).locator('a').click();
    await owner.getByRole('button', { name: 'Close now…' }).click();
    await owner.getByRole('button', { name: 'Close now', exact: true }).click();
    await eventually('both are closed', async () => await owner.locator('.lamp.closed').count() === 2, 30_000);
  } finally {
    await context.close();
    shop.close();
  }
});
