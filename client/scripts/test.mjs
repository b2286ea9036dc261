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
const run = (tests) => new Promise((resolve) => {
  const paths = tests.map((f) => `${out}/${f.replace('.ts', '.mjs')}`);
  const args = ['--enable-source-maps', '--test', ...limits, ...only.map((pattern) => `--test-name-pattern=${pattern}`), ...paths];
  spawn(process.execPath, args, { stdio: 'inherit', cwd: root }).on('exit', (code) => resolve(code === 0));
});

// Browsers and clocks share the computer with others. A file that fails is run once more, and this is printed.
const runOf = async (file) => {
  if (await run([file])) return true;
  console.log(`${file} failed. It is run once more.`);
  const isFlaky = await run([file]);
  if (isFlaky) console.log(`FLAKY: ${file} passed at its second try. Find out why.`);
  return isFlaky;
};

const failed = [];
if (folder === 'unit') {
  if (!(await run(files))) failed.push(folder);
} else {
  for (const file of files) if (!(await runOf(file))) failed.push(file);
}
await rm(out, { recursive: true });
if (failed.length > 0) console.log(`Failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
