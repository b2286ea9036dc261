// Builds everything that leaves this folder. `node scripts/build.mjs --check` builds the lab's bundle anew and says
// whether the committed one is the same.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const LAB = `${root}../assets/recorder.js`;
const BANNER = '// Built from client/src/lab.ts by `npm run build` in client/: change that, not this.';

const common = {
  absWorkingDir: root, bundle: true, charset: 'utf8', legalComments: 'none', logLevel: 'warning', target: 'es2022',
  conditions: ['es2015'], // RxJS as it was written, not as it is for browsers of 2011
};

const lab = async () => {
  const { outputFiles } = await build({
    ...common, entryPoints: ['src/lab.ts'], format: 'iife', write: false, banner: { js: BANNER },
  });
  return outputFiles[0].text;
};

if (process.argv.includes('--check')) {
  if (await lab() !== await readFile(LAB, 'utf8')) {
    console.error('assets/recorder.js is not what client/src builds: run `npm run build` in client/ and commit it');
    process.exit(1);
  }
  process.exit(0);
}

await writeFile(LAB, await lab());
const small = { ...common, minify: true };
const esm = { ...small, format: 'esm' };
await build({ ...esm, entryPoints: ['src/index.ts'], outfile: 'dist/affectograph.js' });
await build({
  ...small, entryPoints: ['src/index.ts'], outfile: 'dist/affectograph.min.js', format: 'iife', globalName: 'affectograph',
  define: { 'import.meta.url': '""' },
});
await build({ ...esm, entryPoints: ['src/consent/dialog.ts'], outfile: 'dist/consent.js' });
await build({ ...esm, entryPoints: ['src/camera/camera.ts'], outfile: 'dist/camera.js' });
await build({ ...esm, entryPoints: ['src/rrweb.ts'], outfile: 'dist/rrweb.js' });
if (existsSync(`${root}src/camera/scores.worker.ts`)) await build({ ...esm, entryPoints: ['src/camera/scores.worker.ts'], outfile: 'dist/scores.worker.js' });
// ONNX Runtime asks for its own file by name.
await mkdir(`${root}dist`, { recursive: true });
const RUNTIME = 'ort-wasm-simd-threaded.wasm';
await copyFile(`${root}node_modules/onnxruntime-web/dist/${RUNTIME}`, `${root}dist/${RUNTIME}`);
