// The package itself: its weight, its version, its lab bundle.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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

test('the script that the lab app injects is what these sources build', () => {
  execFileSync(process.execPath, ['scripts/build.mjs', '--check'], { cwd: AFFECTOGRAPH_CLIENT });
});
