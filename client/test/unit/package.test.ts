// The package itself: its size, its version, its licences.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { VERSION } from '../../src/version';

declare const AFFECTOGRAPH_CLIENT: string;
const path = (name: string) => join(AFFECTOGRAPH_CLIENT, name);

/** What a site loads in any case. */
const MOST_BYTES = 20_000;

test('the core is light', async () => {
  for (const name of ['dist/affectograph.js', 'dist/affectograph.min.js']) {
    const bytes = gzipSync(await readFile(path(name)), { level: 9 }).length;
    console.log(`${name}: ${bytes} bytes gzipped`);
    assert.ok(bytes <= MOST_BYTES, `${name} has ${bytes} bytes gzipped, more than ${MOST_BYTES}`);
  }
});

test('one version everywhere', async () => {
  const { version } = JSON.parse(await readFile(path('package.json'), 'utf8')) as { version: string };
  assert.equal(VERSION, version);
});

test('the packages inside the library have their licence texts beside them', async () => {
  const licences = await readFile(path('dist/THIRD_PARTY_LICENSES.txt'), 'utf8');
  for (const heading of ['rxjs 7.8.2 (Apache-2.0)', 'rrweb 2.2.2 (MIT)', 'onnxruntime-web 1.30.0 (MIT)', 'mitt 3.0.1 (MIT)']) {
    assert.ok(licences.includes(`\n${heading}\n`), heading);
  }
  assert.ok(licences.includes('https://github.com/rrweb-io/rrweb/graphs/contributors'));
});
