// The canary page: after a recording with replay, no forbidden word is in stored, sent or browser data. The search itself is
// tested, too: it finds the words that may be kept, and all words if the study allows all fields.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { eventually, launch, site, skip as noBrowser } from './browser';
import { type Found, canaries, canaryPage, search, spellings, together, visit } from './canary';
import { Program, noProgram, query } from './program';
import { ProtocolServer } from './server';

const STUDY = `
name = "smile"
title = "Smile"
[page]
address = "https://example.org"
mask = [".diary"]
content = [".allowed"]
[consent]
required = true
text = "You are recorded."
`;

let browser: Browser;
before(async () => { if (!noBrowser) browser = await launch(); });
after(async () => { if (!noBrowser) await browser.close(); });

const recorderOf = (server: string, key: string) => `<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', consentGiven: true, replay: true });
  window.recorder = recorder;
  const started = recorder.start();
</script>`;

/** All data of this origin in the browser. */
const KEPT = `(async () => {
  const all = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((resolve) => { const r = indexedDB.open(name); r.onsuccess = () => resolve(r.result); });
    for (const store of db.objectStoreNames) {
      const rows = await new Promise((resolve) => {
        const r = db.transaction(store).objectStore(store).getAll();
        r.onsuccess = () => resolve(r.result);
      });
      for (const { records = [], ...rest } of rows) all.push(name + ' ' + store + ' ' + JSON.stringify(rest), ...records);
    }
    db.close();
  }
  return JSON.stringify(all);
})()`;

/** What was sent, and what was in the browser at any time. */
interface Visit { sent: Set<string>; kept: Set<string>; looks: number }

/** A visitor on the canary page, from its start to the end of the recording. */
const record = async (server: string, key: (origin: string) => string): Promise<Visit> => {
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/canary.html'] = canaryPage(recorderOf(server, key(shop.url)));
  const page: Page = await browser.newPage();
  const seen: Visit = { sent: new Set(), kept: new Set(), looks: 0 };
  page.on('request', (request) => {
    if (!request.url().startsWith(server)) return;
    const body = request.postDataBuffer();
    seen.sent.add(`${request.url()}\n${JSON.stringify(request.headers())}`);
    if (body) seen.sent.add((request.headers()['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString());
  });
  try {
    await page.goto(`${shop.url}/canary.html`);
    await page.evaluate('started');
    await page.waitForTimeout(500);
    const keep = async () => {
      for (const value of JSON.parse(await page.evaluate(KEPT) as string) as string[]) seen.kept.add(value);
      seen.looks += 1;
    };
    const looking = (async () => {
      for (let k = 0; k < 20; k++) {
        await keep();
        await new Promise((resolve) => { setTimeout(resolve, 200); });
      }
    })();
    await visit(page);
    await looking;
    const end = await page.evaluate('recorder.stop()') as { phase: string; problem: string | null };
    assert.deepEqual([end.phase, end.problem], ['finished', null]);
    await keep();
  } finally {
    await page.context().close();
    shop.close();
  }
  return seen;
};

const tell = (found: readonly Found[]): string =>
  found.map(({ word, where, around }) => `${word.name} (${word.where}: ${word.why}) in ${where}: ${around}`).join('\n');
const forbidden = canaries.filter((c) => c.forbidden.includes('website'));
const kept = canaries.filter((c) => c.kept.includes('website'));

test('the search finds a word however it is written down', () => {
  const { word } = canaries[0]!;
  const hidden = [
    word, word.toUpperCase(), Buffer.from(word, 'utf16le'), Buffer.from(`abc ${word}`).toString('base64'),
    Buffer.from(`a ${word} b`).toString('base64'), Buffer.from(`${word} b`).toString('base64'), [...word].reverse().join(''),
  ];
  for (const bytes of hidden) {
    assert.equal(search('here', Buffer.concat([Buffer.from('before '), Buffer.from(bytes as string), Buffer.from(' after')]), [canaries[0]!]).length, 1);
  }
  assert.equal(search('here', Buffer.from('nothing of it'), canaries).length, 0);
  assert.ok(spellings(word).every((s) => s.length >= 8), 'no encoding is so short that it occurs by chance');
});

interface Event { stream: string; kind: string; data: Record<string, unknown> }
const eventsOf = (server: ProtocolServer): Event[] => [...server.session.rows.values()]
  .map(({ stream, kind, data }) => ({ stream, kind: kind ?? '', data: data ?? {} }));
const writtenDown = (events: readonly Event[]): Buffer =>
  Buffer.concat([Buffer.from(events.map((e) => JSON.stringify(e)).join('\n')), together(events)]);

/** Searches the recorded data. `files` are searched byte by byte. */
const inspect = (seen: Visit, events: readonly Event[], files: readonly string[]): void => {
  const found: Found[] = [];
  let bytes = 0;
  for (const file of files) {
    const all = readFileSync(file);
    bytes += all.length;
    found.push(...search(file, all, forbidden));
  }
  const stored = writtenDown(events);
  found.push(...search('what the session tells', stored, forbidden));
  found.push(...search('what was sent', Buffer.from([...seen.sent].join('\n')), forbidden));
  found.push(...search('what the browser kept', Buffer.from([...seen.kept].join('\n')), forbidden));
  const replayed = events.filter((e) => e.stream === 'replay').length;
  console.log(`${forbidden.length} words in ${files.length} files of ${bytes} bytes, ${events.length} events, ${replayed} of them the `
    + `page's replay, ${seen.sent.size} requests, ${seen.kept.size} values in the browser at ${seen.looks} times`);
  assert.equal(tell(found), '');
  assert.ok([...seen.kept].some((value) => value.startsWith('{"stream":"replay"')), 'records were seen waiting in the browser');
  const there = search('stored', stored, kept).map((f) => f.word.name);
  const missing = kept.filter((c) => !there.includes(c.name));
  assert.deepEqual(missing.map((c) => c.name), [], 'what may be kept is there');
};

// If the program is not built, a server that keeps all received data replaces it.
if (noProgram()) test('no forbidden word is sent or kept in the browser', { skip: noBrowser, timeout: 250_000 }, async () => {
  const server = await new ProtocolServer().start();
  server.mask = ['.diary'];
  server.content = ['.allowed'];
  try {
    const seen = await record(server.url, () => 'key');
    inspect(seen, eventsOf(server), []);
  } finally {
    await server.kill();
  }
});

test('no forbidden word is stored, sent or kept in the browser', { skip: noBrowser || noProgram(), timeout: 250_000 }, async () => {
  const program = new Program(undefined, STUDY);
  await program.start();
  try {
    const seen = await record(program.url, (origin) => program.key(origin));
    const rows = query<{ stream: string; kind: string; data: string }>(program.recorded()[0]!, 'SELECT stream, kind, data FROM event');
    const events = rows.map((r) => ({ ...r, data: JSON.parse(r.data) as Record<string, unknown> }));
    const list = () => (readdirSync(program.folder, { recursive: true }) as string[]).map((f) => join(program.folder, f));
    // Closing removes files. The test waits, so that none disappears while it is read.
    await eventually('the end of the session', () => !list().some((f) => f.endsWith('recording.lock')));
    const files = list();
    inspect(seen, events, files.filter((f) => statSync(f).isFile()));
  } finally {
    await program.kill9();
    program.remove();
  }
});

/** The page of a reported problem: an editor and a hidden field, recorded with replay. */
const REPORTED = `<!doctype html><title>Reported</title><h3>Remote page with replay</h3>
<div id="ed" contenteditable></div><input type="hidden" value="HIDDEN-TOKEN-123"><input id="t"><textarea id="ta"></textarea><p id="o"></p>`;

test('of an editor and a hidden field nothing is in the replay', { skip: noBrowser, timeout: 60_000 }, async () => {
  const server = await new ProtocolServer().start();
  const shop = await site({ '/': REPORTED + recorderOf(server.url, 'key') });
  const page = await browser.newPage();
  try {
    await page.goto(shop.url);
    await page.evaluate('started');
    for (const [field, typed] of [['#ed', 'quiltermoss in the editor'], ['#t', 'brindlewax'], ['#ta', 'marrowfen']] as const) {
      await page.click(field);
      await page.keyboard.type(typed);
    }
    await page.evaluate("document.getElementById('ed').blur(); document.getElementById('ed').contentEditable = 'false'");
    await page.evaluate("document.getElementById('o').textContent = 'The key HIDDEN-TOKEN-123 of ' + document.getElementById('t').value");
    await page.evaluate("document.body.append(document.createElement('b')); document.querySelector('b').textContent = 'Saved at last'");
    await page.waitForTimeout(700);
    assert.equal(((await page.evaluate('recorder.stop()')) as { phase: string }).phase, 'finished');
    const told = writtenDown(eventsOf(server)).toString();
    for (const word of ['quiltermoss', 'editor', 'brindlewax', 'marrowfen', 'HIDDEN', 'TOKEN']) assert.ok(!told.includes(word), word);
    assert.ok(told.includes('Remote page with replay') && told.includes('Saved at last'), 'the page is there');
  } finally {
    await page.context().close();
    shop.close();
    await server.kill();
  }
});

test('where the study allows everything, the same search finds what was typed', { skip: noBrowser, timeout: 250_000 }, async () => {
  const server = await new ProtocolServer().start();
  server.content = ['*'];
  try {
    await record(server.url, () => 'key');
    const found = search('stored', writtenDown(eventsOf(server)), canaries).map((f) => f.word.name);
    const typed = canaries.filter((c) => c.kind === 'typed' && !c.forbidden.includes('lab')).map((c) => c.name);
    assert.deepEqual(typed.filter((name) => !found.includes(name)), []);
    const secret = canaries.filter((c) => c.kind === 'typed' && c.forbidden.includes('lab') && c.where.startsWith('#x'));
    assert.deepEqual(secret.filter((c) => found.includes(c.name)).map((c) => c.name), [], 'a payment is kept by no study');
  } finally {
    await server.kill();
  }
});
