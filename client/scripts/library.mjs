// Bundles the library's files into a folder: for the npm package, and for the server that hosts them.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { Bundler, ROOT, LICENCES } from './bundle.mjs';

export const copyOwnLicences = (folder) => Promise.all(
  ['LICENSE-MIT', 'LICENSE-APACHE'].map((name) => copyFile(`${ROOT}../${name}`, `${folder}/${name}`)),
);

/** Modules that are loaded only where they are used, by the name of their file. */
const LATER = {
  'consent.js': 'src/consent/ask.ts', 'camera.js': 'src/camera/camera.ts', 'rrweb.js': 'src/rrweb.ts',
  'transport.js': 'src/transport/transport.ts', 'leftovers.js': 'src/transport/leftovers.ts',
  'memory-store.js': 'src/transport/memory-store.ts', 'sign.js': 'src/sign/sign.ts',
};
/** `import('…')` of such a module becomes an import of its file, which bundlers of a site follow. */
const files = {
  name: 'files beside this one',
  setup: ({ onResolve, resolve }) => onResolve({ filter: /^\./ }, async ({ path, kind, resolveDir, pluginData }) => {
    if (kind !== 'dynamic-import' || pluginData === files) return undefined;
    const found = await resolve(path, { kind, resolveDir, pluginData: files });
    const file = Object.entries(LATER).find(([, source]) => found.path === `${ROOT}${source}`);
    if (!file) return { errors: [{ text: `${path} is imported later and has no file of its own` }] };
    return { path: `./${file[0]}`, external: true };
  }),
};
const small = {
  minify: true, legalComments: 'linked', plugins: [files], banner: { js: `/*! Licences: ${LICENCES} */` },
};
const esm = { ...small, format: 'esm' };
// RxJS names its private properties `_name`. No other code in the bundle may use such names.
const core = { ...small, mangleProps: /^_[a-z]/ };

export const bundleLibrary = async (folder) => {
  const library = new Bundler(folder);
  await mkdir(library.folder, { recursive: true });
  await library.bundle('affectograph.js', 'src/index.ts', { ...core, format: 'esm' });
  // As a module that is put into a function: with `format: 'iife'`, esbuild adds helpers that nothing calls.
  await library.bundle('affectograph.min.js', 'src/script.ts', {
    ...core, format: 'esm', banner: { js: `${core.banner.js}\n"use strict";(()=>{` }, footer: { js: '})();' },
  });
  for (const [name, source] of Object.entries(LATER)) await library.bundle(name, source, esm);
  await library.bundle('scores.worker.js', 'src/camera/scores.worker.ts', esm);
  // `assets` is known when the page runs. These comments tell bundlers so, and esbuild removes them.
  for (const name of ['affectograph.js', ...Object.keys(LATER)]) {
    const code = await readFile(`${library.folder}/${name}`, 'utf8');
    await writeFile(`${library.folder}/${name}`, code.replace(/\bimport\((?!")/g, '$&/* @vite-ignore *//* webpackIgnore: true */'));
  }
  // ONNX Runtime loads this file by its name.
  const RUNTIME = 'ort-wasm-simd-threaded.wasm';
  await copyFile(`${ROOT}node_modules/onnxruntime-web/dist/${RUNTIME}`, `${library.folder}/${RUNTIME}`);
  await library.writeLicences();
  await copyOwnLicences(library.folder);
};
