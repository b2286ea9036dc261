// Bundles the tests of one folder and runs them with Node's own runner: `node scripts/test.mjs unit [file] [test]`.

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { EXPRESSIONS } from './expressions.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [folder = 'unit', name = '', ...only] = process.argv.slice(2);
const isNew = Number(process.versions.node.split('.')[0]) >= 20; // Debian 12 brings 18
if (folder === 'e2e' && !isNew) {
  console.log(`skipped: Playwright needs Node 20, this is ${process.version}`);
  process.exit(process.env.AFFECTOGRAPH_NEED_ALL === '1' ? 1 : 0);
}
const files = (await readdir(`${root}test/${folder}`)).filter((f) => f.endsWith('.test.ts') && f.includes(name));
// Below both folders of packages, so that they are found.
const out = await mkdtemp(`${root}test/node_modules/.tests-`);
await build({
  absWorkingDir: root, entryPoints: files.map((f) => `test/${folder}/${f}`), outdir: out, outExtension: { '.js': '.mjs' },
  bundle: true, format: 'esm', platform: 'node', target: 'node18', packages: 'external', sourcemap: 'inline', logLevel: 'warning',
  define: { ...EXPRESSIONS, AFFECTOGRAPH_CLIENT: JSON.stringify(root) },
});
const limits = isNew
  ? ['--test-concurrency=1', `--test-timeout=${folder === 'unit' ? 60_000 : 300_000}`, '--test-force-exit'] : [];
const args = ['--enable-source-maps', '--test', ...limits, ...only.map((pattern) => `--test-name-pattern=${pattern}`), ...files.map((f) => `${out}/${f.replace('.ts', '.mjs')}`)];
const node = spawn(process.execPath, args, { stdio: 'inherit', cwd: root });
node.on('exit', async (code) => {
  await rm(out, { recursive: true });
  process.exit(code ?? 1);
});
