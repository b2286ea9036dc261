// The browser's camera information, the cards of networks, and scaling of pictures.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { relativeToCamera } from '../../src/camera/vision/actions';
import { figure, parseCard, requireChainTable } from '../../src/camera/vision/card';
import { cropToPicture, fromEyes, pointFromFraction } from '../../src/camera/vision/geometry';
import { Network, type Runtime } from '../../src/camera/vision/network';
import { fill, greyOf } from '../../src/camera/vision/resample';

declare const AFFECTOGRAPH_CLIENT: string;

test('the cards of the shipped networks are read', async () => {
  for (const name of ['detector', 'landmarks', 'affect', 'actions']) {
    const card = parseCard(await readFile(join(AFFECTOGRAPH_CLIENT, `../models/${name}/model.toml`), 'utf8'), name);
    assert.equal(card.name, name);
    assert.match(card.sha256, /^[0-9a-f]{64}$/);
    assert.equal(card.input.shape.length, 4);
    assert.ok(card.output.length > 0);
  }
  assert.throws(() => parseCard('name = affect', 'x'), /JSON|Unexpected/);
  assert.throws(() => parseCard('what is this', 'x'), /not a model card/);
  assert.throws(() => parseCard('name = "x"', 'x'), /lacks/);
  // A card without a constant of the vision chain would find no face, without an error.
  const toml = await readFile(join(AFFECTOGRAPH_CLIENT, '../models/landmarks/model.toml'), 'utf8');
  requireChainTable(parseCard(toml, 'landmarks'), 'face');
  const without = parseCard(toml.replace(/^min_probability = .*$/m, ''), 'landmarks');
  assert.throws(() => requireChainTable(without, 'face'), /no number `face.min_probability`/);
  assert.throws(() => requireChainTable(without, 'tracking'), /no table `tracking`/);
  assert.equal(figure({ figure: [{ name: 'a', value: 3 }] } as never, 'a'), 3);
});

const cardOf = (sha256: string) => `name = "affect"
version = "9.9"
sha256 = "${sha256}"

[input]
name = "picture"
shape = [1, 1, 4, 4]
colour = "grey"
mean = [0.0]
std = [1.0]

[[output]]
name = "affect"
shape = [1, 2]
`;

/** The description of a loaded network, and its loaded bytes. */
const loaded = async (onnx: Uint8Array<ArrayBuffer>, card_sha256: string) => {
  const ran: Uint8Array[] = [];
  const runtime: Runtime = { create: (bytes) => Promise.resolve(ran.push(bytes) as never), tensor: () => null };
  const read = (path: string) => Promise.resolve(path.endsWith('.toml') ? new TextEncoder().encode(cardOf(card_sha256)) : onnx);
  const { identity } = await Network.load(runtime, read, 'affect');
  return { identity, ran };
};

test('a network says the sum of the bytes that run, whatever its card says', async () => {
  for (const [length, card] of [[0, 'ab'], [3, 'cd'], [70_001, 'ef']] as const) {
    const onnx = Uint8Array.from({ length }, (_, k) => (k * 31) % 251);
    const { identity, ran } = await loaded(onnx, card.repeat(32));
    const sha256 = createHash('sha256').update(onnx).digest('hex');
    assert.deepEqual(identity, { name: 'affect', version: '9.9', sha256, card_sha256: card.repeat(32) });
    assert.deepEqual(ran, [onnx]);
  }
});

test('where the browser makes no sums, that is said', async () => {
  const crypto = Object.getOwnPropertyDescriptor(globalThis, 'crypto')!;
  for (const value of [undefined, {}]) {
    Object.defineProperty(globalThis, 'crypto', { value, configurable: true });
    try {
      assert.equal((await loaded(Uint8Array.of(1, 2), 'ab'.repeat(32))).identity.sha256, null);
    } finally {
      Object.defineProperty(globalThis, 'crypto', crypto);
    }
  }
});

const ramp = (width: number, height: number) => {
  const grey = Float32Array.from({ length: width * height }, (_, i) => (i % width) * 2 + Math.floor(i / width));
  return { width, height, grey };
};
const plain = (width: number, height: number) => ({ width, height, mean: 0, std: 1 });

test('a plane stays a plane, turned or not', () => {
  // On a slanted plane bilinear samples are exact: each output pixel is the plane's value at its centre.
  for (const roll_deg of [0, 30, -100]) {
    const crop = { centre: [50, 40] as const, side_px: 30, roll_deg };
    const out = new Float32Array(16 * 16);
    fill(ramp(100, 80), cropToPicture(crop, 16), plain(16, 16), [16, 16], out);
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++) {
        const [px, py] = pointFromFraction(crop, (x + 0.5) / 16, (y + 0.5) / 16);
        assert.ok(Math.abs(out[y * 16 + x]! - ((px - 0.5) * 2 + py - 0.5)) < 1e-3);
      }
    }
  }
});

test('what a picture does not cover is grey', () => {
  const out = new Float32Array(8 * 4);
  fill(ramp(8, 8), { xx: 2, xy: 0, x0: 0, yx: 0, yy: 2, y0: 0 }, plain(8, 4), [4, 4], out);
  assert.equal(out[7], 127.5);
  assert.notEqual(out[3], 127.5);
});

test('eyes come to their places', () => {
  const places = [[0.3, 0.4], [0.7, 0.4]] as const;
  const to = fromEyes([[100, 50], [160, 90]], [places[0], places[1]], [48, 48])!;
  const at = ([x, y]: readonly [number, number]) => [to.xx * x * 48 + to.xy * y * 48 + to.x0, to.yx * x * 48 + to.yy * y * 48 + to.y0];
  assert.deepEqual(at(places[0]).map(Math.round), [100, 50]);
  assert.deepEqual(at(places[1]).map(Math.round), [160, 90]);
  assert.equal(fromEyes([[5, 5], [5, 5]], [places[0], places[1]], [48, 48]), null);
});

test('grey is made as the networks learned it', () => {
  const { grey } = greyOf(Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]), 3, 1);
  assert.deepEqual([...grey].map((v) => Math.round(v * 1000) / 1000), [76.245, 149.685, 29.07]);
});

test('gaze relative to the camera', () => {
  const near = (found: { yaw: number; pitch: number }, yaw: number, pitch: number) =>
    assert.ok(Math.hypot(found.yaw - yaw, found.pitch - pitch) < 1e-9, JSON.stringify(found));
  near(relativeToCamera({ yaw: 0, pitch: 0 }, { yaw: 30, pitch: -10, roll: 0 }), 30, -10);
  near(relativeToCamera({ yaw: 12, pitch: 7 }, { yaw: 0, pitch: 0, roll: 0 }), 12, 7);
  near(relativeToCamera({ yaw: 20, pitch: 0 }, { yaw: 0, pitch: 0, roll: 90 }), 0, 20);
});
