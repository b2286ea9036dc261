// Builds the files of the npm packages into dist/ and jspsych/dist/. `npm run build` runs this and writes the types.

import { copyFile, mkdir } from 'node:fs/promises';
import { Bundler, LICENCES, ROOT } from './bundle.mjs';

const copyOwnLicences = (folder) => Promise.all(
  ['LICENSE-MIT', 'LICENSE-APACHE'].map((name) => copyFile(`${ROOT}../${name}`, `${folder}/${name}`)),
);

const library = new Bundler(`${ROOT}dist`);
await mkdir(library.folder, { recursive: true });
const small = { minify: true, legalComments: 'linked', banner: { js: `/*! Licences of the packages inside: ${LICENCES} */` } };
const esm = { ...small, format: 'esm' };
// RxJS names its private properties `_name`. No other code in the bundle may use such names.
const core = { ...small, mangleProps: /^_[a-z]/ };
await library.bundle('affectograph.js', 'src/index.ts', { ...core, format: 'esm' });
await library.bundle('affectograph.min.js', 'src/script.ts', {
  ...core, format: 'iife', define: { 'import.meta.url': '""' },
});
await library.bundle('consent.js', 'src/consent/ask.ts', esm);
await library.bundle('camera.js', 'src/camera/camera.ts', esm);
await library.bundle('scores.worker.js', 'src/camera/scores.worker.ts', esm);
await library.bundle('rrweb.js', 'src/rrweb.ts', esm);
for (const name of ['transport', 'leftovers', 'memory-store']) {
  await library.bundle(`${name}.js`, `src/transport/${name}.ts`, esm);
}
// ONNX Runtime loads this file by its name.
const RUNTIME = 'ort-wasm-simd-threaded.wasm';
await copyFile(`${ROOT}node_modules/onnxruntime-web/dist/${RUNTIME}`, `${library.folder}/${RUNTIME}`);
await library.writeLicences();
await copyOwnLicences(library.folder);

// The extension of jsPsych contains no other package.
const extension = new Bundler(`${ROOT}jspsych/dist`);
await mkdir(extension.folder, { recursive: true });
await extension.bundle('index.js', 'jspsych/src/index.ts', { format: 'esm', minify: true });
await extension.bundle('affectograph-jspsych.min.js', 'jspsych/src/script.ts', { format: 'iife', minify: true });
await copyOwnLicences(extension.folder);
