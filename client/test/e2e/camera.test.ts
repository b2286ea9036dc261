// A third party's page, a jsPsych experiment, with a face in front of the camera: Chromium's fake camera plays a clip.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { CLIENT, eventually, launch, site } from './browser';
import { CLIP, experimentPage, launchWithFace, skip, takePart } from './experiment';
import { temporaryFolder } from './served';
import { ProtocolServer, type Session, rowsOf } from './server';

const folder = temporaryFolder();
let browser: Browser;
before(async () => {
  if (skip) return;
  browser = await launchWithFace(folder);
});
after(async () => {
  if (!skip) await browser.close();
});

const experiment = async (camera: string, with_browser: Browser, work: (page: Page, session: () => Session) => Promise<void>) => {
  const server = await new ProtocolServer().start();
  server.content = ['textarea'];
  const shop = await site({ '/': experimentPage(server.url, 'key', camera) });
  const page = await with_browser.newPage();
  try {
    await page.goto(shop.url);
    await work(page, () => server.session);
    const session = server.session;
    assert.ok(session.finished, 'the session is finished');
    for (const [stream, count] of Object.entries(session.finished.streams)) {
      assert.deepEqual(rowsOf(session, stream).map((r) => r.seq), Array.from({ length: count }, (_, k) => k), stream);
    }
    assert.equal(session.finished.video_chunks, session.chunks.size);
  } finally {
    await page.context().close();
    shop.close();
    await server.kill();
  }
};

test('jsPsych with video: every frame has its time, and the film can be read', { skip }, () =>
  experiment('video', browser, async (page, session) => {
    await takePart(page, 2500);
    const { chunks } = session();
    assert.ok(chunks.size >= 3);
    const film = join(folder, 'video.webm');
    writeFileSync(film, Buffer.concat([...chunks].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)));
    const probe = execFileSync('ffprobe', ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries',
      'stream=codec_name,width,height,nb_read_frames', '-of', 'csv=p=0', film]).toString().trim();
    const film_frames = Number(probe.split(',').at(-1));
    const events = rowsOf(session(), 'video_frame');
    assert.deepEqual(events.map((r) => r.kind).slice(0, 2), ['started', 'frames']);
    const { chunk, mime, width_px } = events[0]!.data as { chunk: number; mime: string; width_px: number };
    assert.equal(chunk, 0);
    assert.match(mime, /^video\/webm/);
    assert.equal(width_px, 640);
    let first = 0;
    const times: number[] = [];
    for (const { data } of events.slice(1)) {
      const frames = data as { first: number; page_ms: number[]; media_s: number[] };
      assert.equal(frames.first, first);
      assert.equal(frames.page_ms.length, frames.media_s.length);
      first += frames.page_ms.length;
      times.push(...frames.page_ms);
    }
    assert.ok(times.every((t, k) => k === 0 || t > times[k - 1]!), 'times increase');
    console.log(`${chunks.size} chunks, video ${probe}; ${times.length} frames with times over ${((times.at(-1)! - times[0]!) / 1000).toFixed(1)} s`);
    assert.ok(film_frames > 30 && times.length > 30);
    const typed = rowsOf(session(), 'page').filter((r) => r.kind === 'input').map((r) => r.data!);
    assert.equal(typed.map((d) => d['deleted']).join(''), 'lufwa', 'deleted letters are recorded, last letter first');
    assert.ok(rowsOf(session(), 'page').filter((r) => r.kind === 'mark').length === 3);
    assert.deepEqual(rowsOf(session(), 'health').map((r) => r.kind), ['camera_started']);
  }));

test('scores: the numbers are those of the program, and no picture leaves', { skip }, () =>
  experiment('scores', browser, async (page, session) => {
    const sent: number[] = [];
    page.on('request', (r) => { if (r.method() !== 'GET') sent.push(r.postDataBuffer()?.length ?? 0); });
    await takePart(page, 4000);
    assert.equal(session().chunks.size, 0);
    const raw = join(folder, 'face.gray');
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', CLIP, '-pix_fmt', 'gray', '-f', 'rawvideo', raw]);
    const lines = execFileSync('node', ['test/score.mjs', raw, '640', '360', '30'], { cwd: CLIENT, maxBuffer: 1e8 }).toString();
    const clip = lines.trim().split('\n').map((l) => (JSON.parse(l) as { affect: number[] } | null)?.affect).filter((a) => a !== undefined);
    const rows = rowsOf(session(), 'affect').filter((r) => r.values);
    // The camera repeats the clip, so each reading must equal that of one of its frames.
    const nearest = rows.map(({ values }) =>
      Math.min(...clip.map((a) => Math.max(Math.abs(a[0]! - values![0]!), Math.abs(a[1]! - values![1]!)))));
    nearest.sort((a, b) => a - b);
    const mean = (all: number[]) => all.reduce((a, b) => a + b, 0) / all.length;
    console.log(`${rows.length} readings; valence/arousal from the clip's own: median ${nearest[nearest.length >> 1]!.toFixed(4)}, `
      + `95 % ${nearest[Math.floor(nearest.length * 0.95)]!.toFixed(4)}; mean valence ${mean(rows.map((r) => r.values![0] as number)).toFixed(3)} `
      + `(clip ${mean(clip.map((a) => a[0]!)).toFixed(3)})`);
    assert.ok(rows.length > 10);
    assert.ok(nearest[Math.floor(nearest.length * 0.9)]! < 0.05);
    assert.equal(rows[0]!.values!.length, 12);
    assert.equal(rowsOf(session(), 'landmarks').find((r) => r.values)!.values!.length, 136);
    assert.equal(rowsOf(session(), 'face').find((r) => r.values)!.values!.length, 16);
    assert.equal(rowsOf(session(), 'action').find((r) => r.values)!.values!.length, 20);
    assert.equal(rowsOf(session(), 'eyes').find((r) => r.values)!.values!.length, 10);
    assert.deepEqual(rowsOf(session(), 'health').map((r) => r.kind), ['camera_started', 'scores_started']);
    // The reported checksum is that of the loaded bytes.
    const networks = rowsOf(session(), 'health')[1]!.data as Record<string, { name: string; sha256: string; card_sha256: string }>;
    for (const name of ['detector', 'landmarks', 'affect', 'actions']) {
      const sha256 = createHash('sha256').update(readFileSync(join(CLIENT, `../models/${name}/model.onnx`))).digest('hex');
      assert.deepEqual([networks[name]!.name, networks[name]!.sha256, networks[name]!.card_sha256], [name, sha256, sha256]);
    }
    // All sent bytes are in the rows. Except the page's rows, no row is as large as the smallest possible picture.
    const rowsSent = [...session().rows.values()];
    const bytes = sent.reduce((a, b) => a + b, 0);
    const told = rowsSent.reduce((sum, row) => sum + JSON.stringify(row).length, 0);
    const largest = Math.max(...rowsSent.filter((r) => r.stream !== 'replay').map((r) => JSON.stringify(r).length));
    console.log(`${bytes} bytes sent for ${rows.length} readings, ${told} in the rows, the largest ${largest}`);
    assert.ok(bytes < 1.25 * told + 20_000);
    assert.ok(largest < 4000);
    assert.ok(await page.evaluate('affect.length > 10 && affect[0].expression.neutral >= 0'));
  }));

test('without a camera, and with a refused one, the session goes on and says so', { skip }, async () => {
  const plain = await launch();
  try {
    await experiment('video', plain, async (page, session) => {
      await takePart(page, 100);
      const said = rowsOf(session(), 'health').map((r) => r.kind);
      console.log(`without a camera: ${said.join(', ')}`);
      assert.match(said[0]!, /^camera_(absent|refused)$/);
      assert.ok(rowsOf(session(), 'page').some((r) => r.kind === 'click'));
    });
  } finally {
    await plain.close();
  }
  const refusing = await launch(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
  try {
    await experiment('video', refusing, async (page, session) => {
      await takePart(page, 100);
      await eventually('a word about it', () => rowsOf(session(), 'health').length > 0);
      assert.equal(rowsOf(session(), 'health')[0]!.kind, 'camera_refused');
    });
  } finally {
    await refusing.close();
  }
});
