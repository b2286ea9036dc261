// Many sessions whose pages are silent, and a visitor beside them. It takes minutes, so it runs only on request:
// `AFFECTOGRAPH_SILENT_SESSIONS=2000 node scripts/test.mjs e2e silence`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, launch, site, skip as noBrowser } from './browser';
import { noProgram, query } from './program';
import { RemoteSession, click, reading, send } from './requests';
import { browser, program, withServer } from './served';

const skip = noBrowser || noProgram();
const NUMBER = Number(process.env['AFFECTOGRAPH_SILENT_SESSIONS'] ?? 0);
/** What many sessions at a time need once, such as the allocator's arenas, is not counted. */
const WARM_UP = Math.min(NUMBER, 150);
/** The server accepts 400 sessions at once, and then 20 per second. */
const BEGIN_EVERY_MS = 50;
const MOST_KB_EACH = 100;
const unlimited = ['--sessions-per-key', '--sessions-per-address', '--starts-per-address'].flatMap((name) => [name, '100000']);

const PAGE = (server: string, key: string) => `<!doctype html><title>Beside</title><button>Press</button>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', camera: 'off', consentGiven: true });
  const started = recorder.start();
</script>`;

/** Threads of the server, and its memory in kB. */
const used = (): { threads: number; kb: number } => {
  const status = readFileSync(`/proc/${program.pid}/status`, 'utf8');
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]);
  return { threads: number('Threads'), kb: number('VmRSS') };
};
const wait = (ms: number) => new Promise((resolve) => { setTimeout(resolve, ms); });

if (NUMBER > 0) {
  withServer(skip, () => launch(), () => [...unlimited, '--silent-min', '0.05']);

  test('silent sessions cost no thread and little memory, and go on', { skip, timeout: 900_000 }, async () => {
    const pages: Record<string, string> = {};
    const shop = await site(pages);
    const key = program.key(shop.url);
    pages['/'] = PAGE(program.url, key);
    const token = program.run('serve', 'token', 'reader').trim();
    let most_threads = 0;
    const beginMany = async (number: number) => {
      const begun: RemoteSession[] = [];
      for (let k = 0, due = Date.now(); k < number; k++, due += BEGIN_EVERY_MS) {
        if (number > WARM_UP) await wait(due - Date.now());
        const session = await RemoteSession.begin(program.url, key, shop.url, { camera: 'scores' });
        await session.records(Array.from({ length: 20 }, (_, n) => [click(n, 1 + n), reading(n, 1 + n)]).flat());
        most_threads = Math.max(most_threads, used().threads);
        begun.push(session);
      }
      return begun;
    };
    const settled = async () => {
      await eventually('all sessions are silent', async () => {
        const { json } = await send(program.url, { method: 'GET', path: '/v1/library/status', token });
        return json['open_sessions'] === json['silent_sessions'];
      }, 120_000);
      // Threads for blocking work end after ten seconds, and unused memory goes back to the system every two seconds.
      await wait(15_000);
      return used();
    };
    await beginMany(1);
    const { threads: threads_before } = await settled();
    await beginMany(WARM_UP);
    const { kb: kb_before } = await settled();
    const sessions = await beginMany(NUMBER);
    const { threads, kb } = await settled();
    const kb_each = (kb - kb_before) / NUMBER;
    console.log(`${NUMBER} more silent sessions: ${threads} threads (at most ${most_threads} while they began), ${kb} kB, ${kb_each.toFixed(1)} kB each`);
    assert.ok(kb_each <= MOST_KB_EACH);
    assert.ok(threads <= threads_before + 2, `${threads} threads, ${threads_before} with one session`);

    const page = await browser.newPage();
    try {
      await page.goto(shop.url);
      assert.equal((await page.evaluate('started') as { phase: string }).phase, 'recording');
      await page.getByRole('button').click();
      const { participant } = await page.evaluate('recorder.state') as { participant: string };
      assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
      // One of the silent sessions speaks again.
      const again = sessions[NUMBER >> 1]!;
      await again.records([click(20, 30)]);
      await again.finish({ page: 21, affect: 20 });
      for (const [who, clicks] of [[participant, 1], [again.participant, 21]] as const) {
        const session = program.recorded().find((s) => s.includes(`/${who}/`))!;
        await eventually('the end', () => program.isClosed(session), 60_000);
        assert.match(program.run('verify', session), /^intact$/m);
        assert.equal(query<{ n: number }>(session, "SELECT count(*) AS n FROM event WHERE kind = 'click'")[0]!.n, clicks);
      }
    } finally {
      await page.context().close();
      shop.close();
    }
  });
}
