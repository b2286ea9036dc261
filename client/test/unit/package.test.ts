// The package: its size, its version and its licences.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { VERSION } from '../../src/version';

declare const AFFECTOGRAPH_CLIENT: string;
const path = (name: string) => join(AFFECTOGRAPH_CLIENT, name);

/** Limit for the file that every site loads. */
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

const LICENCES = 'THIRD_PARTY_LICENSES.txt';
const RRWEB = 'Copyright (c) 2018 Contributors (https://github.com/rrweb-io/rrweb/graphs/contributors)';

/** The licence text of each package in a licence file, by `name version (licence)`. */
const licenceTexts = async (file: string): Promise<Map<string, string>> => {
  const [, ...parts] = (await readFile(path(file), 'utf8')).split(`${'='.repeat(80)}\n`);
  return new Map(parts.map((part) => {
    const end = part.indexOf('\n');
    return [part.slice(0, end), part.slice(end)];
  }));
};

const assertLicences = async (file: string, expected: Record<string, string[]>): Promise<void> => {
  const texts = await licenceTexts(file);
  for (const [heading, lines] of Object.entries(expected)) {
    const text = texts.get(heading);
    assert.ok(text !== undefined, `${file} has no licence of ${heading}`);
    for (const line of lines) assert.ok(text.includes(line), `${file}, ${heading}: the line "${line}" is missing`);
  }
};

const MIT = 'Permission is hereby granted, free of charge';

test('the published library contains the licence texts of the packages inside its bundles', async () => {
  await assertLicences(`dist/${LICENCES}`, {
    'rxjs 7.8.2 (Apache-2.0)': ['Apache License', 'Copyright (c) 2015-2018 Google, Inc., Netflix, Inc., Microsoft Corp. and contributors'],
    'rrweb 2.2.2 (MIT)': [RRWEB, MIT],
    'onnxruntime-web 1.30.0 (MIT)': ['Copyright (c) Microsoft Corporation', MIT, 'onnxruntime/blob/v1.30.0/ThirdPartyNotices.txt'],
    'mitt 3.0.1 (MIT)': ['Jason Miller', MIT],
  });
  const { files } = JSON.parse(await readFile(path('package.json'), 'utf8')) as { files: string[] };
  assert.ok(files.includes('dist'));
  for (const name of ['affectograph.js', 'affectograph.min.js', 'camera.js', 'scores.worker.js', 'rrweb.js']) {
    assert.ok((await readFile(path(`dist/${name}`), 'utf8')).includes(LICENCES), `dist/${name} does not name ${LICENCES}`);
  }
});

test('the web parts of the program contain the licence texts of the packages inside their bundles', async () => {
  const web = '../build/web';
  for (const file of [`${web}/${LICENCES}`, `${web}/dashboard/${LICENCES}`]) {
    await assertLicences(file, { 'rrweb 2.2.2 (MIT)': [RRWEB, MIT], 'uplot 1.6.32 (MIT)': ['Leon Sorokin', MIT] });
  }
  for (const name of ['replay.js', 'dashboard/main.js', 'dashboard/style.css']) {
    assert.ok((await readFile(path(`${web}/${name}`), 'utf8')).includes(LICENCES), `${name} does not name ${LICENCES}`);
  }
});
