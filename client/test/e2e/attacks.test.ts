// Attacks on the real server over TLS, one after the other, beside a browser that records. Each is refused with a status and a
// sentence, and the recording loses nothing. All requests go to the loopback address, and their number is bounded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventually, launch, site, skip as noBrowser, watch } from './browser';
import { noProgram, query } from './program';
import { type Answer, CONSENT, type Sent, newSession as start, send as sendTo } from './requests';
import { PASSWORD, browser, program, temporaryFolder, withServer } from './served';
import { certificate, noCertificate } from './tls';

const skip = noBrowser || noProgram() || noCertificate();
const EVIL = 'https://evil.example';
const folder = temporaryFolder();
withServer(skip, () => launch(), (server) => {
  server.own(PASSWORD);
  return [...certificate(folder), '--starts-per-address', '20'];
});

const VICTIM = (server: string, key: string) => `<!doctype html><title>Victim</title><button>Press</button>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', consentGiven: true, replay: true });
  let marks = 0;
  const started = recorder.start().then((state) => {
    setInterval(() => recorder.mark('m', marks++), 50);
    return state;
  });
</script>`;

const send = (sent: Sent): Promise<Answer> => sendTo(program.url, sent);

/** What an attack is, the request or requests, and the status of the (last) answer. */
type Attack = [name: string, status: number, attempt: Sent | (() => Promise<Answer>)];

test('every attack is refused in words, and a session beside them loses nothing', { skip, timeout: 280_000 }, async () => {
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  const key = program.key(shop.url);
  const otherKey = program.key(shop.url, 'open');
  const reader = program.run('serve', 'token', 'reader').trim();
  pages['/'] = VICTIM(program.url, key);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const errors = watch(context);
  try {
    const page = await context.newPage();
    await page.goto(shop.url);
    await page.evaluate('started');
    const victim = await page.evaluate('recorder.state') as { session: string; participant: string; phase: string };
    assert.equal(victim.phase, 'recording');

    // The attacker may begin sessions as everybody can: the key is in the page.
    const origin = shop.url;
    const begin = async (camera: string) => {
      const { status, json } = await send({ path: '/v1/sessions', token: key, origin, body: start({ camera }) });
      assert.equal(status, 201);
      return { id: json['session'] as string, token: json['token'] as string };
    };
    const [own, filmed, left] = [await begin('off'), await begin('video'), await begin('off')];
    const batch = (records: unknown[]) => JSON.stringify({
      documents: [{ document: 1, time_origin_utc_ms: Date.now(), clock: { at_ms: 1, offset_ms: Date.now(), uncertainty_ms: 1 } }], records,
    });
    const event = (change: object = {}) => ({ stream: 'page', seq: 0, document: 1, page_ms: 2, kind: 'mark', data: { name: 'x' }, ...change });
    const at = (session: { id: string }, rest: string) => `/v1/sessions/${session.id}/${rest}`;
    const V = `/v1/sessions/${victim.session}`;
    const evil = batch([event({ data: { name: 'forged' } })]);
    const mine = (body: string | Buffer, headers: Record<string, string> = {}): Sent =>
      ({ path: at(own, 'records'), token: own.token, origin, body, headers });
    const login = (password: string, from = program.url): Sent =>
      ({ path: '/v1/login', origin: from, body: JSON.stringify({ password }) });
    const deep = `{"documents": [], "records": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const bomb = gzipSync(Buffer.alloc(64 << 20, ' '));

    const attacks: Attack[] = [
      // A session that may not begin.
      ['begin without a key', 401, { path: '/v1/sessions', origin, body: start() }],
      ['begin with an invented key', 401, { path: '/v1/sessions', token: 'agk_guess', origin, body: start() }],
      ['begin with an owner\'s token that is invented', 401, { path: '/v1/sessions', token: 'aga_guess', origin, body: start() }],
      ['begin without an origin', 403, { path: '/v1/sessions', token: key, body: start() }],
      ['begin from another site', 403, { path: '/v1/sessions', token: key, origin: EVIL, body: start() }],
      ['begin from a sandboxed frame', 403, { path: '/v1/sessions', token: key, origin: 'null', body: start() }],
      ['begin from a site that ends like the right one', 403, { path: '/v1/sessions', token: key, origin: `${origin}.evil.example`, body: start() }],
      ['begin in another study', 403, { path: '/v1/sessions', token: otherKey, origin, body: start() }],
      ['begin without consent', 422, { path: '/v1/sessions', token: key, origin, body: start({ consent: null }) }],
      ['begin with a consent that is no checksum', 422, { path: '/v1/sessions', token: key, origin, body: start({ consent: { ...CONSENT, text_sha256: 'x' } }) }],
      ['a participant who is a path', 422, { path: '/v1/sessions', token: key, origin, body: start({ participant: '../../etc' }) }],
      ['a participant with a zero byte', 422, { path: '/v1/sessions', token: key, origin, body: start({ participant: 'sub-01\0' }) }],
      ['a camera that does not exist', 422, { path: '/v1/sessions', token: key, origin, body: start({ camera: 'infrared' }) }],
      ['a field that does not exist', 422, { path: '/v1/sessions', token: key, origin, body: start({ is_admin: true }) }],
      ['a browser\'s name of 100 kB', 422, { path: '/v1/sessions', token: key, origin, body: start({ client: { version: '0.1.0', user_agent: 'x'.repeat(100_000), language: 'en' } }) }],
      ['an invitation to another site', 403, { method: 'GET', path: '/v1/studies/smile/invitation', token: key, origin: EVIL }],
      ['an invitation to a study of another key', 403, { method: 'GET', path: '/v1/studies/smile/invitation', token: otherKey, origin }],
      // The session of another person.
      ['forge records without a token', 401, { path: `${V}/records`, origin, body: evil }],
      ['forge records with an invented token', 403, { path: `${V}/records`, token: 'ags_guess', origin, body: evil }],
      ['forge records with the own token', 403, { path: `${V}/records`, token: own.token, origin, body: evil }],
      ['forge records with the public key', 403, { path: `${V}/records`, token: key, origin, body: evil }],
      ['forge video', 403, { method: 'PUT', path: `${V}/video/0`, token: own.token, origin, body: 'x' }],
      ['finish the session of another person', 403, { path: `${V}/finish`, token: own.token, origin, body: '{"streams": {}}' }],
      ['delete the session of another person', 403, { method: 'DELETE', path: V, token: own.token, origin }],
      ['delete it without a token', 401, { method: 'DELETE', path: V, origin }],
      ['read the data of another person', 403, { method: 'GET', path: `${V}/data`, token: own.token, origin }],
      ['read the own data where the study does not allow it', 403, { method: 'GET', path: at(own, 'data'), token: own.token, origin }],
      ['use a stolen token on another site', 403, { ...mine(evil), origin: EVIL }],
      ['use a stolen token without a browser', 403, { ...mine(evil), origin: null }],
      ['a session that is a path', 404, { path: '/v1/sessions/..%2F..%2Fserver.sqlite/records', token: own.token, origin, body: evil }],
      // Data that are none.
      ['a body that is no JSON', 400, mine('{')],
      ['a body that is no text', 400, mine(Buffer.from([0xff, 0xfe, 0x00]))],
      ['JSON that is 50,000 levels deep', 422, mine(deep)],
      ['a stream that does not exist', 422, mine(batch([event({ stream: 'secrets' })]))],
      ['a record of the server\'s own stream', 422, mine(batch([event({ stream: 'server', kind: 'closed_by_owner', data: {} })]))],
      ['a kind that is SQL', 422, mine(batch([event({ stream: 'health', kind: '\'; DROP TABLE event; --', data: {} })]))],
      ['a time that is not a time', 422, mine(batch([event({ page_ms: 1e300 })]))],
      ['a document that was not described', 409, mine(batch([event({ document: 9 })]))],
      ['a record far ahead', 409, mine(batch([event({ seq: 9_000_000 })]))],
      ['5,001 records', 413, mine(batch(Array.from({ length: 5_001 }, (_, seq) => event({ seq }))))],
      ['a batch of 2 MB', 413, mine('x'.repeat(2 << 20))],
      ['64 MB in 64 kB (gzip)', 413, mine(bomb, { 'content-encoding': 'gzip' })],
      ['a gzip that is none', 400, mine('no gzip', { 'content-encoding': 'gzip' })],
      ['an unknown encoding', 415, mine('{}', { 'content-encoding': 'br' })],
      ['video into a session without video', 409, { method: 'PUT', path: at(own, 'video/0'), token: own.token, origin, body: 'x' }],
      ['a chunk far ahead', 422, { method: 'PUT', path: at(filmed, 'video/99999999'), token: filmed.token, origin, body: 'x' }],
      ['a chunk that is no number', 422, { method: 'PUT', path: at(filmed, 'video/..'), token: filmed.token, origin, body: 'x' }],
      ['an empty chunk', 422, { method: 'PUT', path: at(filmed, 'video/0'), token: filmed.token, origin, body: '' }],
      ['a chunk of 9 MB', 413, { method: 'PUT', path: at(filmed, 'video/0'), token: filmed.token, origin, body: Buffer.alloc(9 << 20) }],
      // The owner's part.
      ['the list of sessions', 401, { method: 'GET', path: '/v1/library/sessions' }],
      ['the list with an invented cookie', 401, { method: 'GET', path: '/v1/library/sessions', headers: { cookie: '__Host-affectograph=guess' } }],
      ['the list with an invented token', 401, { method: 'GET', path: '/v1/library/sessions', token: 'aga_guess' }],
      ['the list with the token of a session', 401, { method: 'GET', path: '/v1/library/sessions', token: own.token }],
      ['watch a live session', 401, { method: 'GET', path: '/v1/library/live' }],
      ['download a study', 401, { method: 'GET', path: '/v1/library/studies/smile/download' }],
      ['erase a participant', 401, { method: 'DELETE', path: `/v1/library/participants/${victim.participant}` }],
      ['erase a participant with a token that only reads', 403, { method: 'DELETE', path: `/v1/library/participants/${victim.participant}`, token: reader }],
      ['make a write key with a token that only reads', 403, { path: '/v1/library/studies/smile/keys', token: reader, body: JSON.stringify({ origins: [EVIL] }) }],
      ['log in from another site', 403, login(PASSWORD, EVIL)],
      ['log in with a wrong password', 401, login('wrong horse battery')],
      ['guess passwords', 429, async () => {
        let last = await send(login('guess 0'));
        for (let k = 1; k < 10 && last.status === 401; k++) last = await send(login(`guess ${k}`));
        return last;
      }],
      // Paths and methods.
      ['a file outside the dashboard', 404, { method: 'GET', path: '/../../../../etc/passwd' }],
      ['the ledger in place of a network', 404, { method: 'GET', path: '/v1/models/..%2F..%2Fserver.sqlite' }],
      ['a path that does not exist', 404, { method: 'GET', path: '/wp-login.php' }],
      ['a method that does not exist here', 405, { method: 'PATCH', path: V, token: own.token, origin }],
      // Too much.
      ['records of one session too fast', 429, async () => {
        let last = await send(mine(batch([])));
        for (let k = 0; k < 80 && last.status === 200; k++) {
          const answers = await Promise.all(Array.from({ length: 8 }, () => send({ ...mine(batch([])), isFast: true })));
          last = answers.find((a) => a.status !== 200 && a.status !== 503) ?? last;
        }
        return last;
      }],
      ['data after a withdrawal', 410, async () => {
        assert.equal((await send({ method: 'DELETE', path: `/v1/sessions/${left.id}`, token: left.token, origin })).status, 200);
        return send({ path: at(left, 'records'), token: left.token, origin, body: batch([event()]) });
      }],
      // The last one, because it uses up what this address may begin.
      ['sessions without end', 429, async () => {
        let last = await send({ path: '/v1/sessions', token: key, origin, body: start() });
        for (let k = 0; k < 60 && last.status === 201; k++) last = await send({ path: '/v1/sessions', token: key, origin, body: start() });
        return last;
      }],
    ];
    const wrong: string[] = [];
    for (const [name, status, attempt] of attacks) {
      await page.getByRole('button').click();
      const answer = await (typeof attempt === 'function' ? attempt() : send(attempt))
        .catch((error: unknown) => ({ status: 0, type: '', detail: String(error) }));
      const line = `${String(answer.status).padEnd(4)}${name.padEnd(58)}${answer.detail.slice(0, 110)}`;
      console.log(line);
      const isRefused = answer.status === status && answer.type.startsWith('urn:affectograph:') && /^[A-Z`/].{15,}\.$/s.test(answer.detail);
      if (!isRefused) wrong.push(`${line} (expected ${status})`);
    }
    console.log(`${attacks.length} attacks`);
    assert.ok(new Set(attacks.map(([name]) => name)).size >= 40);
    assert.deepEqual(wrong, []);

    // The session beside them.
    const made = await page.evaluate('marks') as number;
    const ended = await page.evaluate('recorder.stop()') as { phase: string; problem: string | null };
    assert.deepEqual([ended.phase, ended.problem], ['finished', null]);
    const session = program.recorded().find((s) => s.includes(`/${victim.participant}/`))!;
    await eventually('the session is closed', () => program.isClosed(session), 30_000);
    assert.match(program.run('verify', session), /^intact$/m);
    const rows = query<{ seq: number; kind: string; data: string }>(session, "SELECT seq, kind, data FROM event WHERE stream = 'page' ORDER BY seq");
    assert.deepEqual(rows.map((r) => r.seq), rows.map((_, k) => k));
    const marks = rows.filter((r) => r.kind === 'mark').map((r) => (JSON.parse(r.data) as { data: unknown }).data);
    assert.deepEqual(marks, marks.map((_, k) => k), 'each mark once, and no forged one');
    assert.ok(marks.length >= made, `${marks.length} of ${made} marks`);
    assert.equal(rows.filter((r) => r.kind === 'click').length, attacks.length);
    assert.equal(query<{ n: number }>(session, 'SELECT count(*) AS n FROM gap')[0]!.n, 0);
    console.log(`the session beside them: ${rows.length} records, ${marks.length} marks of ${made}, intact`);
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    shop.close();
  }
});
