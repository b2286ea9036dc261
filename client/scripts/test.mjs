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
const start = (tests, stdio) => {
  const paths = tests.map((f) => `${out}/${f.replace('.ts', '.mjs')}`);
  const args = ['--enable-source-maps', '--test', ...limits, ...only.map((pattern) => `--test-name-pattern=${pattern}`), ...paths];
  return spawn(process.execPath, args, { stdio, cwd: root });
};
/** Its last output may come a moment after its end. */
const ended = (child) => new Promise((resolve) => { child.on('exit', (code) => setTimeout(() => resolve(code === 0), 200)); });

/** What these files measure depends on what else runs. They have the computer for themselves. */
const ALONE = ['clock', 'main_thread', 'page_cases'];
const AT_ONCE = 2;
const took = [];
/** The output of a file is printed when it has ended, so that files that run at the same time do not mix it. */
const runOf = async (file) => {
  const from = Date.now();
  const child = start([file], ['ignore', 'pipe', 'pipe']);
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  const isPassed = await ended(child);
  process.stdout.write(Buffer.concat(said));
  took.push(`${((Date.now() - from) / 1000).toFixed(1).padStart(6)} s  ${file}`);
  return isPassed;
};
/** Browsers and clocks share the computer with others. A file that fails is run once more, alone, and this is printed. */
const again = async (file) => {
  console.log(`${file} failed. It is run once more.`);
  const isFlaky = await runOf(file);
  if (isFlaky) console.log(`FLAKY: ${file} passed at its second try. Find out why.`);
  return isFlaky;
};

const failed = [];
if (folder === 'unit') {
  if (!(await ended(start(files, 'inherit')))) failed.push(folder);
} else {
  const isAlone = (file) => ALONE.includes(file.replace('.test.ts', ''));
  const first = [];
  const waiting = files.filter((file) => !isAlone(file));
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) if (!(await runOf(file))) first.push(file);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const file of files.filter(isAlone)) if (!(await runOf(file))) first.push(file);
  for (const file of first) if (!(await again(file))) failed.push(file);
  console.log(took.join('\n'));
}
await rm(out, { recursive: true });
if (failed.length > 0) console.log(`Failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
