// Builds the files of the npm packages into dist/ and jspsych/dist/. `npm run build` runs this and writes the types.

import { mkdir } from 'node:fs/promises';
import { Bundler, ROOT } from './bundle.mjs';
import { bundleLibrary, copyOwnLicences } from './library.mjs';

await bundleLibrary(`${ROOT}dist`);

// The extension of jsPsych contains no other package.
const extension = new Bundler(`${ROOT}jspsych/dist`);
await mkdir(extension.folder, { recursive: true });
await extension.bundle('index.js', 'jspsych/src/index.ts', { format: 'esm', minify: true });
await extension.bundle('affectograph-jspsych.min.js', 'jspsych/src/script.ts', { format: 'iife', minify: true });
await copyOwnLicences(extension.folder);
