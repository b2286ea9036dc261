// Builds everything that leaves this folder. `node scripts/build.mjs --check` builds the lab's bundle anew and says
// whether the committed one is the same.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const LAB = `${root}../assets/recorder.js`;
const BANNER = `// Built from client/src/lab.ts by \`npm run build\` in client/; change that, not this.`;

const common = {
  absWorkingDir: root, bundle: true, charset: 'utf8', legalComments: 'none', logLevel: 'warning', target: 'es2022',
};

const lab = async () => {
  const { outputFiles } = await build({
    ...common, entryPoints: ['src/lab.ts'], format: 'iife', write: false, banner: { js: BANNER },
  });
  return outputFiles[0].text;
};

const built = await lab();
if (process.argv.includes('--check')) {
  if (built !== await readFile(LAB, 'utf8')) {
    console.error('assets/recorder.js is not what client/src builds: run `npm run build` in client/ and commit it');
    process.exit(1);
  }
  process.exit(0);
}
await writeFile(LAB, built);
