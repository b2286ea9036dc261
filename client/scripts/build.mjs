// Builds everything that leaves this folder. `node scripts/build.mjs --check` builds the lab's bundles anew and says
// whether the committed ones are the same.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const banner = (source, holds = '') =>
  ({ js: `// Built from client/src/${source} by \`npm run build\` in client/: change that, not this.${holds}` });

const common = {
  absWorkingDir: root, bundle: true, charset: 'utf8', legalComments: 'none', logLevel: 'warning', target: 'es2022',
  conditions: ['es2015'], // RxJS as it was written, not as it is for browsers of 2011
};

/** What the lab program holds: the recording script of its pages, and what draws a recorded page again. */
const LAB = {
  'recorder.js': { entryPoints: ['src/lab.ts'], banner: banner('lab.ts') },
  'replay.js': {
    entryPoints: ['src/replay-view.ts'], banner: banner('replay-view.ts', ' Holds rrweb, (c) its contributors, MIT.'), minify: true, loader: { '.css': 'text' },
    legalComments: 'eof',
  },
};

for (const [name, options] of Object.entries(LAB)) {
  const { outputFiles } = await build({ ...common, format: 'iife', write: false, ...options });
  const path = `${root}../assets/${name}`;
  if (!process.argv.includes('--check')) {
    await writeFile(path, outputFiles[0].text);
  } else if (outputFiles[0].text !== await readFile(path, 'utf8')) {
    console.error(`assets/${name} is not what client/src builds: run \`npm run build\` in client/ and commit it`);
    process.exit(1);
  }
}
if (process.argv.includes('--check')) process.exit(0);

const small = { ...common, minify: true };
const esm = { ...small, format: 'esm' };
// RxJS calls what is its own by `_name`; nobody else may.
const core = { ...small, entryPoints: ['src/index.ts'], mangleProps: /^_[a-z]/ };
await build({ ...core, format: 'esm', outfile: 'dist/affectograph.js' });
await build({
  ...core, outfile: 'dist/affectograph.min.js', format: 'iife', globalName: 'affectograph',
  define: { 'import.meta.url': '""' },
});
await build({ ...esm, entryPoints: ['src/consent/dialog.ts'], outfile: 'dist/consent.js' });
await build({ ...esm, entryPoints: ['src/camera/camera.ts'], outfile: 'dist/camera.js' });
await build({ ...esm, entryPoints: ['src/rrweb.ts'], outfile: 'dist/rrweb.js' });
for (const name of ['transport', 'leftovers', 'passing-store']) await build({ ...esm, entryPoints: [`src/transport/${name}.ts`], outfile: `dist/${name}.js` });
if (existsSync(`${root}src/camera/scores.worker.ts`)) await build({ ...esm, entryPoints: ['src/camera/scores.worker.ts'], outfile: 'dist/scores.worker.js' });
// ONNX Runtime asks for its own file by name.
await mkdir(`${root}dist`, { recursive: true });
const RUNTIME = 'ort-wasm-simd-threaded.wasm';
await copyFile(`${root}node_modules/onnxruntime-web/dist/${RUNTIME}`, `${root}dist/${RUNTIME}`);
