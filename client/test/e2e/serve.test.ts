// With the real server: a browser's recording is stored as a session file like the lab's.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT, dialog, eventually, site } from './browser';
import { agree, experimentPage, launchWithFace, skip as noFace, takePart } from './experiment';
import { Program, noProgram, query } from './program';
import { browser, program, temporaryFolder, withServer } from './served';

const skip = noFace || noProgram();
const folder = temporaryFolder();
withServer(skip, () => launchWithFace(folder));

interface Event { stream: string; seq: number; at_ns: number; kind: string; data: string }
const events = (session: string, stream: string) =>
  query<Event>(session, `SELECT stream, seq, at_ns, kind, data FROM event WHERE stream = '${stream}' ORDER BY seq`)
    .map((e) => ({ ...e, data: JSON.parse(e.data) as Record<string, unknown> }));
const counts = (session: string) => Object.fromEntries(query<{ name: string; n: number }>(session,
  'SELECT stream.name AS name, count(*) AS n FROM record JOIN stream ON stream.id = record.stream GROUP BY name').map((r) => [r.name, r.n]));

interface Quality { face_record: string; frames_expected: number; frames_scored: number; frames_skipped: number; frames_stored: number; frames_lost: number }

/** What `show` and the methods text say about the frames is true. */
const isDescribed = (session: string, camera: string): void => {
  const q = JSON.parse(program.run('show', '--json', session)) as Quality;
  const shown = program.run('show', session);
  const to = join(folder, `report-${camera}`);
  program.run('export', session, '--format', 'report', '--to', to);
  const methods = readFileSync(join(to, 'methods.txt'), 'utf8');
  console.log(`${q.frames_expected} frames, ${q.frames_stored} stored, ${q.frames_scored} scored, ${q.frames_skipped} skipped, ${q.frames_lost} lost\n${methods.split('\n')[0]}`);
  if (camera === 'scores') {
    assert.deepEqual([q.face_record, q.frames_stored], ['scores', 0]);
    assert.equal(q.frames_scored + q.frames_skipped + q.frames_lost, q.frames_expected, 'each frame is counted once');
    assert.match(shown, /no picture was stored/);
    assert.doesNotMatch(shown, /in the video/);
    assert.match(methods, /browser scored the frames of its own camera/);
    assert.doesNotMatch(methods, /Every frame was stored|without a camera/);
  } else {
    assert.equal(q.face_record, 'pictures');
    assert.ok(q.frames_stored > 0);
    assert.doesNotMatch(methods, /no picture/);
  }
};

for (const camera of ['video', 'scores']) {
  test(`an experiment with camera "${camera}" becomes a session`, { skip, timeout: 240_000 }, async () => {
    const earlier = new Set(program.recorded());
    const pages: Record<string, string> = {};
    const shop = await site(pages);
    pages['/'] = experimentPage(program.url, program.key(shop.url), camera);
    const page = await browser.newPage();
    try {
      await page.goto(shop.url);
      await takePart(page, 4000);
      const ended = await page.evaluate('ended') as { phase: string; problem: string | null };
      assert.deepEqual([ended.phase, ended.problem], ['finished', null]);
      const session = program.recorded().find((s) => !earlier.has(s))!;
      const page_events = events(session, 'page');
      assert.deepEqual(page_events.map((e) => e.seq), page_events.map((_, k) => k));
      // Typed text, deleted text and marks are in order on one time axis.
      const inputs = page_events.filter((e) => e.kind === 'input');
      assert.equal(inputs.map((e) => e.data['deleted']).join(''), 'lufwa');
      const handled = page_events.map((e) => (e.data['handled_ms'] ?? e.data['page_ms']) as number);
      assert.ok(handled.every((ms, k) => k === 0 || ms >= handled[k - 1]! - 1), 'record numbers follow the handlers');
      assert.equal(page_events.filter((e) => e.kind === 'mark').length, 3);
      const clocks = events(session, 'page_clock').map((e) => e.data as { uncertainty_ms: number; offset_ms: number });
      const best = Math.min(...clocks.map((c) => c.uncertainty_ms));
      const click = page_events.find((e) => e.kind === 'click')!;
      const readings = () => query<{ n: number; low: number; high: number; mean: number }>(session,
        "SELECT count(*) AS n, min(at_ns)/1e9 AS low, max(at_ns)/1e9 AS high, avg(value) AS mean FROM value WHERE stream = 'affect' AND field = 'valence'")[0]!;
      await eventually('the face around the click', () => readings().high * 1e9 > click.at_ns, 120_000)
        .catch((e: unknown) => {
          console.log(`click at ${click.at_ns * 1e-9} s; readings ${JSON.stringify(readings())}; ${JSON.stringify(counts(session))}\n`
            + program.run('show', session));
          throw e;
        });
      const affect = readings();
      console.log(`${camera}: ${JSON.stringify(counts(session))}; clock ± ${best.toFixed(2)} ms; `
        + `${affect.n} readings from ${affect.low.toFixed(1)} to ${affect.high.toFixed(1)} s, mean valence ${affect.mean.toFixed(3)}`);
      assert.ok(best <= 5, 'the clock error is stored and at most 5 ms on loopback');
      assert.ok(affect.low * 1e9 < click.at_ns);
      const replay = events(session, 'replay').map((e) => e.data as { type: number });
      assert.ok(replay.some((e) => e.type === 2) && replay.some((e) => e.type === 3), 'the snapshot of the page and its changes');
      await eventually('the session is closed', () => program.isClosed(session), 90_000)
        .catch((error: unknown) => { throw new Error(`${program.run('show', session)}\n${JSON.stringify(events(session, 'server'))}`, { cause: error }); });
      isDescribed(session, camera);
    } finally {
      await page.context().close();
      shop.close();
    }
  });
}

/** A camera whose recorder gets its first frame 1.5 s late: Chromium then sends a first chunk of one byte. */
const LATE_CAMERA = `
  const camera = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
    const drawing = canvas.getContext('2d');
    const stream = canvas.captureStream(0);
    const draw = (hue) => {
      drawing.fillStyle = 'hsl(' + (hue % 360) + ' 80% 50%)';
      drawing.fillRect(0, 0, 320, 240);
      stream.getVideoTracks()[0].requestFrame();
    };
    return { stream, draw };
  };
  const sizes = window.sizes = [];
  const cameras = [camera()];
  let hue = 0;
  setInterval(() => { hue++; for (const { draw } of cameras) draw(hue); }, 33);
  navigator.mediaDevices.getUserMedia = async () => cameras[0].stream;
  const Recorder = MediaRecorder;
  window.MediaRecorder = class extends Recorder {
    constructor(_, options) {
      const late = camera();
      super(late.stream, options);
      setTimeout(() => cameras.push(late), 1500);
      this.addEventListener('dataavailable', ({ data }) => sizes.push(data.size));
    }
  };`;

test('a video whose first chunk has one byte is converted', { skip, timeout: 120_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = MARKS(program.url, program.key(shop.url), 'video');
  const page = await browser.newPage();
  let sizes: number[] = [];
  try {
    await page.addInitScript(LATE_CAMERA);
    await page.goto(shop.url);
    await page.evaluate('started');
    await page.waitForTimeout(5000);
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
    sizes = (await page.evaluate('sizes') as number[]).filter((bytes) => bytes > 0);
  } finally {
    await page.context().close();
    shop.close();
  }
  assert.equal(sizes[0], 1, `the camera was late: ${sizes.join(', ')} bytes`);
  const session = program.recorded().find((s) => !earlier.has(s))!;
  await eventually('the video is converted', () => events(session, 'server').some((e) => e.kind === 'video_converted'), 90_000);
  const [{ n }] = query<{ n: number }>(session, 'SELECT count(*) AS n FROM frame') as [{ n: number }];
  console.log(`${n} frames of a video with chunks of ${sizes.join(', ')} bytes`);
  assert.ok(n > 50);
});

/** As in Safari: the browser writes no WebM. */
const NO_WEBM = `
  const supports = MediaRecorder.isTypeSupported;
  MediaRecorder.isTypeSupported = (type) => !type.includes('webm') && supports.call(MediaRecorder, type);`;

test('a browser that writes no WebM sends MP4, over a reload, and it is converted', { skip, timeout: 120_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = MARKS(program.url, program.key(shop.url), 'video');
  const page = await browser.newPage();
  try {
    await page.addInitScript(NO_WEBM);
    await page.goto(shop.url);
    await page.evaluate('started');
    await page.waitForTimeout(4000);
    await page.reload();
    await page.evaluate('started');
    await page.waitForTimeout(4000);
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
  } finally {
    await page.context().close();
    shop.close();
  }
  const session = program.recorded().find((s) => !earlier.has(s))!;
  const started = () => events(session, 'video_frame').filter((e) => e.kind === 'started').map((e) => String(e.data['mime']));
  const conversion = () => events(session, 'server').find((e) => e.kind === 'video_converted' || e.kind === 'video_not_converted');
  await eventually('the video is converted', () => conversion() !== undefined, 90_000);
  const [{ n }] = query<{ n: number }>(session, 'SELECT count(*) AS n FROM frame') as [{ n: number }];
  console.log(`${n} frames; ${started().join(', ')}; ${JSON.stringify(conversion()!.data)}; ${readdirSync(session).join(', ')}`);
  assert.ok(started().length === 2 && started().every((mime) => mime.startsWith('video/mp4')));
  assert.equal(conversion()!.kind, 'video_converted');
  assert.ok(n > 60); // a busy machine gives few
  assert.ok(!JSON.stringify(conversion()!.data).includes('is not a video'), 'both recordings are read');
  for (const name of ['video.mp4', 'video-2.mp4']) assert.ok(existsSync(join(session, name)), name);
});

/** A folder with networks. `change` modifies them. */
const networks = (name: string, change: (file: string, bytes: Buffer) => Buffer) => {
  const models = join(folder, name);
  for (const network of ['detector', 'landmarks', 'affect']) {
    mkdirSync(join(models, network), { recursive: true });
    for (const file of ['model.toml', 'model.onnx']) {
      const bytes = readFileSync(join(CLIENT, '../models', network, file));
      writeFileSync(join(models, network, file), change(`${network}/${file}`, bytes));
    }
  }
  return models;
};

test('the header names the networks that the browser ran, and not the server\'s own', { skip, timeout: 240_000 }, async () => {
  // The server's affect network has another version and other bytes. The page serves the project's networks, except that the
  // landmark network has additional bytes (an unknown ONNX field) and the old card.
  const other = networks('other', (file, bytes) => {
    if (file === 'affect/model.toml') return Buffer.from(bytes.toString().replace(/^version = .*$/m, 'version = "0.0-other"').replace(/^sha256 = .*$/m, `sha256 = "${'0'.repeat(64)}"`));
    return bytes;
  });
  const grown = Buffer.concat([readFileSync(join(CLIENT, '../models/landmarks/model.onnx')), Buffer.from([0xfa, 0x3f, 0x03, 1, 2, 3])]);
  const elsewhere = new Program(other);
  const pages: Record<string, string | Buffer> = { '/models/landmarks/model.onnx': grown };
  const shop = await site(pages);
  try {
    await elsewhere.start();
    pages['/'] = experimentPage(elsewhere.url, elsewhere.key(shop.url), 'scores', `models: '${shop.url}/models/'`);
    const page = await browser.newPage();
    try {
      await page.goto(shop.url);
      await agree(page);
      await page.waitForFunction('affect.length > 0', null, { timeout: 90_000 });
      assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
    } finally {
      await page.context().close();
    }
    const [session] = elsewhere.recorded();
    const { models } = query<{ models: string }>(session!, 'SELECT models FROM session')[0]!;
    const said = JSON.parse(models) as { name: string; version: string; sha256: string; reported_by?: string; note?: string }[];
    const sumOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const own = (network: string) => sumOf(readFileSync(join(CLIENT, `../models/${network}/model.onnx`)));
    assert.deepEqual(said.map((m) => [m.name, m.sha256, m.reported_by]), [
      ['detector', own('detector'), 'the browser'], ['landmarks', sumOf(grown), 'the browser'],
      ['actions', own('actions'), 'the browser'], ['affect', own('affect'), 'the browser'],
    ]);
    assert.deepEqual([said[0]!.note, said[3]!.version === '0.0-other'], [undefined, false]);
    assert.match(said[1]!.note!, /its card names another file/);
    assert.match(said[2]!.note!, /the server has no network to compare it with/);
    assert.match(said[3]!.note!, /the server's own is affect 0\.0-other/);
    const samples = query<{ name: string; n: number }>(session!, 'SELECT stream.name, COUNT(*) AS n FROM record JOIN stream ON stream.id = record.stream WHERE record.type = 0 GROUP BY stream.name');
    const count = (name: string) => samples.find((s) => s.name === name)?.n ?? 0;
    assert.ok(count('affect') > 0 && count('action') === count('affect') && count('eyes') === count('affect'), JSON.stringify(samples));
    const software = query<{ name: string; software: string }>(session!, 'SELECT name, software FROM stream');
    assert.ok(software.find((s) => s.name === 'affect')!.software.includes(own('affect')));
    const shown = elsewhere.run('show', session!);
    assert.match(shown, new RegExp(`network +affect .*${own('affect').slice(0, 12)}.*the browser`));
    assert.match(shown, /another file/);
  } finally {
    shop.close();
    await elsewhere.kill9();
    elsewhere.remove();
  }
});

const MARKS = (server: string, key: string, camera = 'off') => `<!doctype html><title>Marks</title><p>Marks</p>
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', camera: '${camera}', consentGiven: true });
  const started = recorder.start();
  const first = Number(sessionStorage.getItem('marks') ?? 0);
  let marks = first;
  setInterval(() => { sessionStorage.setItem('marks', marks + 1); recorder.mark('m', marks++); }, 20);
</script>`;

test('the server is killed for 20 s and the page reloaded: nothing lost, nothing doubled', { skip, timeout: 120_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = MARKS(program.url, program.key(shop.url));
  const page = await browser.newPage();
  try {
    await page.goto(shop.url);
    await page.evaluate('started');
    await page.waitForTimeout(2000);
    await program.kill9();
    await page.waitForTimeout(8000);
    await page.reload();
    await page.waitForTimeout(12_000);
    await program.start();
    await page.waitForTimeout(3000);
    await page.reload();
    await page.waitForTimeout(2000);
    const made = Number(await page.evaluate('sessionStorage.getItem("marks")'));
    const { phase } = await page.evaluate('recorder.stop()') as { phase: string };
    assert.equal(phase, 'finished');
    
    const sessions = program.recorded().filter((s) => !earlier.has(s));
    assert.equal(sessions.length, 1);
    const all = events(sessions[0]!, 'page');
    assert.deepEqual(all.map((e) => e.seq), all.map((_, k) => k));
    const marks = all.filter((e) => e.kind === 'mark').map((e) => e.data['data'] as number);
    // Marks before the start and after `stop` are not recorded. All marks in between are recorded once.
    assert.deepEqual(marks, marks.map((_, k) => marks[0]! + k));
    console.log(`${marks.length} of ${made} marks made, ${all.length} records over ${new Set(all.map((e) => e.data['document'])).size} documents`);
    assert.ok(marks.length > 800 && marks.at(-1)! >= made - 1);
  } finally {
    await page.context().close();
    shop.close();
  }
});

const ASKED = (server: string, key: string) => `<!doctype html><title>Asked</title>
<button id="buy">Buy</button> <textarea id="note"></textarea> <input class="diary">
<script src="/dist/affectograph.min.js"></script>
<script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}' });
  recorder.start().then((state) => { window.begun = state; });
</script>`;

test('the server is away between consent and session: what happens then is in the session file', { skip, timeout: 120_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = ASKED(program.url, program.key(shop.url));
  const page = await browser.newPage();
  try {
    await page.goto(shop.url);
    await dialog(page);
    await program.kill9();
    await agree(page);
    assert.equal(await page.evaluate('begun.phase'), 'connecting');
    await page.click('#buy');
    await page.locator('#note').pressSequentially('seen');
    await page.locator('.diary').pressSequentially('Zq7');
    await page.waitForTimeout(1000);
    await program.start();
    await eventually('the recording', async () => await page.evaluate('recorder.state.phase') === 'recording', 40_000);
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
    const sessions = program.recorded().filter((s) => !earlier.has(s));
    assert.equal(sessions.length, 1);
    const all = events(sessions[0]!, 'page');
    assert.deepEqual(all.map((e) => e.seq), all.map((_, k) => k));
    const click = all.find((e) => e.kind === 'click' && e.data['target'] === 'button#buy')!;
    assert.ok(click.at_ns < 0, 'it is before the zero of the session');
    assert.equal(all.filter((e) => e.kind === 'input').map((e) => e.data['inserted'] ?? '').join(''), 'seen');
    assert.ok(!JSON.stringify(all).includes('Zq7'));
    const sum = createHash('sha256').update('May this page record what you do?\n\nYou are recorded.').digest('hex');
    const [header] = query<{ consent: string }>(sessions[0]!, 'SELECT consent FROM session');
    assert.ok(header!.consent.includes(sum), 'the visitor agreed to the study\'s own text');
    assert.match(program.run('verify', sessions[0]!), /intact/);
  } finally {
    await page.context().close();
    shop.close();
  }
});
