// The file of `npm pack`, installed into a project outside this repository, with the code that the dashboard shows. Each page
// scores a face, so that all files of the library are needed: modules, the worker and the WebAssembly file.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
// @ts-expect-error: the dashboard is plain JavaScript
import { FOLDER, snippets as snippetsOf } from '../../dashboard/snippet.js';
import { CLIENT, accept, site, watch } from './browser';
import { launchWithFace, skip as noFace } from './experiment';
import { noProgram, query } from './program';
import { browser, program, temporaryFolder, withServer } from './served';

const snippets = snippetsOf as (server: string, study: string, key: string) => { html: string; module: string };
const skip = noFace || noProgram();
const folder = temporaryFolder();
const project = join(folder, 'project');
const installed = join(project, 'node_modules/affectograph');

const npm = (cwd: string, ...args: string[]) => execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] }).toString();
/** Packs a package and returns the file's name. */
const pack = (path: string): string => npm(path, 'pack', '--silent', '--ignore-scripts', '--pack-destination', project).trim();

/** The packed files in a project. The packages' own dependencies come from this folder, so that no network is needed. */
const install = (): void => {
  mkdirSync(project);
  const [core, extension] = [pack(CLIENT), pack(join(CLIENT, 'jspsych'))];
  const own = (name: string) => `file:${join(CLIENT, 'node_modules', name)}`;
  writeFileSync(join(project, 'package.json'), JSON.stringify({
    type: 'module',
    dependencies: {
      affectograph: `file:./${core}`, '@affectograph/jspsych': `file:./${extension}`, rxjs: own('rxjs'), tslib: own('tslib'),
    },
  }));
  npm(project, 'install', '--silent', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps');
};
withServer(skip, () => {
  install();
  return launchWithFace(folder);
});

/** Opens the page, agrees, waits for scores of the face, and looks into the session file. */
const record = async (url: string): Promise<void> => {
  const earlier = new Set(program.recorded());
  const context = await browser.newContext();
  const problems = watch(context);
  context.on('response', (response) => { if (response.status() >= 400) problems.push(`${response.url()} answers ${response.status()}`); });
  try {
    const page = await context.newPage();
    await page.goto(url);
    await accept(page);
    await page.waitForFunction('recorder.state.phase === "recording"', null, { timeout: 30_000 });
    await page.click('#buy');
    await page.evaluate('recorder.affect$.subscribe(() => { window.scored = true; })');
    await page.waitForFunction('window.scored', null, { timeout: 90_000 })
      .catch((error: unknown) => {
        const health = program.recorded().filter((s) => !earlier.has(s))
          .flatMap((s) => query<{ kind: string; data: string }>(s, "SELECT kind, data FROM event WHERE stream = 'health'"));
        throw new Error(`no scores: ${problems.join('; ')} ${JSON.stringify(health)}`, { cause: error });
      });
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
  } finally {
    await context.close();
  }
  assert.deepEqual(problems.filter((p) => !p.includes('favicon')), []);
  const [session, ...others] = program.recorded().filter((s) => !earlier.has(s));
  assert.deepEqual(others, []);
  const count = (sql: string) => query<{ n: number }>(session!, sql)[0]!.n;
  assert.equal(count("SELECT count(*) AS n FROM event WHERE stream = 'page' AND kind = 'click'"), 1);
  assert.ok(count("SELECT count(*) AS n FROM value WHERE stream = 'affect' AND field = 'valence'") > 0);
};

const HTML = (code: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<button id="buy">Buy now</button>
${code}
</html>`;
const MODULE_PAGE = HTML('<script type="module" src="./main.js"></script>');

/** The source folder of a page with the dashboard's code for bundlers. */
const source = (name: string, origin: string): string => {
  const path = join(project, name);
  mkdirSync(path, { recursive: true });
  const code = snippets(program.url, 'smile', program.key(origin)).module;
  // What the test needs. The names of a module are its own.
  writeFileSync(join(path, 'main.js'), `${code}\nwindow.recorder = recorder;\n`);
  writeFileSync(join(path, 'index.html'), MODULE_PAGE);
  return path;
};
/** Serves what `make` builds into a folder. */
const built = async (name: string, make: (from: string, to: string) => Promise<void>): Promise<void> => {
  const to = join(project, `${name}-built`);
  mkdirSync(to);
  const pages: Record<string, string> = {};
  const shop = await site(pages, to);
  try {
    await make(source(name, shop.url), to);
    pages['/'] = readFileSync(join(to, 'index.html'), 'utf8');
    await record(shop.url);
  } finally {
    shop.close();
  }
};

test('the packed files contain what they need, and their licences', { skip }, () => {
  for (const name of ['affectograph', '@affectograph/jspsych']) {
    const path = join(project, 'node_modules', name);
    for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) assert.ok(readFileSync(join(path, 'dist', licence)).length > 1000, licence);
    const { types, main } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { types: string; main: string };
    for (const file of [types, main]) assert.ok(readFileSync(join(path, file)).length > 0, `${name}: ${file}`);
  }
});

test('plain HTML', { skip, timeout: 180_000 }, async () => {
  const root = join(project, 'html');
  cpSync(join(installed, 'dist'), join(root, FOLDER as string), { recursive: true });
  const pages: Record<string, string> = {};
  const shop = await site(pages, root);
  try {
    pages['/'] = HTML(snippets(program.url, 'smile', program.key(shop.url)).html);
    await record(shop.url);
  } finally {
    shop.close();
  }
});

test('plain HTML, with the library on another origin', { skip, timeout: 180_000 }, async () => {
  const pages: Record<string, string> = {};
  const [shop, files] = [await site(pages), await site({}, join(installed, 'dist'))];
  try {
    const { html } = snippets(program.url, 'smile', program.key(shop.url));
    pages['/'] = HTML(html.replace(`"${FOLDER as string}`, `"${files.url}/`));
    await record(shop.url);
  } finally {
    shop.close();
    files.close();
  }
});

test('esbuild', { skip, timeout: 180_000 }, () => built('esbuild', async (from, to) => {
  await build({ entryPoints: [join(from, 'main.js')], outdir: to, bundle: true, format: 'esm', splitting: true, logLevel: 'warning' });
  // esbuild does not follow `new URL`.
  for (const file of ['scores.worker.js', 'ort-wasm-simd-threaded.wasm']) cpSync(join(installed, 'dist', file), join(to, file));
  cpSync(join(from, 'index.html'), join(to, 'index.html'));
}));

test('esbuild, into one classic script', { skip, timeout: 180_000 }, () => built('esbuild-one', async (from, to) => {
  const main = readFileSync(join(from, 'main.js'), 'utf8').replace('camera: "scores"', 'camera: "scores", assets: "/files/"');
  assert.ok(main.includes('/files/'));
  writeFileSync(join(from, 'main.js'), main);
  await build({ entryPoints: [join(from, 'main.js')], outdir: to, bundle: true, format: 'iife', logLevel: 'error' });
  cpSync(join(installed, 'dist'), join(to, 'files'), { recursive: true });
  writeFileSync(join(to, 'index.html'), HTML('<script src="main.js"></script>'));
}));

test('Vite, built', { skip, timeout: 180_000 }, () => built('vite', async (root, outDir) => {
  const vite = await import('vite');
  await vite.build({ root, configFile: false, logLevel: 'warn', build: { outDir, emptyOutDir: false } });
}));

/** Vite's own server on a free port. */
const vite = async (name: string, more: object): Promise<void> => {
  const free = await site({});
  free.close();
  const root = source(name, free.url);
  const { createServer } = await import('vite');
  const server = await createServer({
    root, configFile: false, logLevel: 'warn', cacheDir: join(folder, `${name}-cache`), ...more,
    server: { host: '127.0.0.1', port: Number(new URL(free.url).port), strictPort: true, hmr: false },
  });
  try {
    await server.listen();
    await record(free.url);
  } finally {
    await server.close();
  }
};

test('Vite\'s own server', { skip, timeout: 180_000 }, () => vite('vite-server', {}));

test('webpack', { skip, timeout: 180_000 }, () => built('webpack', async (from, to) => {
  const { default: webpack } = await import('webpack');
  const compiler = webpack({
    mode: 'production', context: from, entry: './main.js', output: { path: to, filename: 'main.js' }, performance: false,
  });
  await new Promise<void>((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error) reject(error);
      else if (stats!.hasErrors() || stats!.hasWarnings()) reject(new Error(stats!.toString()));
      else resolve();
    });
  });
  writeFileSync(join(to, 'index.html'), HTML('<script src="main.js"></script>'));
}));

// Next and what it needs are larger than all other packages of the tests together. They are installed into the temporary folder.
if (process.env['AFFECTOGRAPH_NEED_NEXT'] === '1') test('Next, exported', { skip, timeout: 900_000 }, async () => {
  const root = join(project, 'next');
  const pages: Record<string, string> = {};
  const shop = await site(pages, join(root, 'out'));
  try {
    const { module } = snippets(program.url, 'smile', program.key(shop.url));
    // The library needs a window. A component of Next is also rendered without one.
    const code = module.replace(/^import (\{[^}]*\}) from ["']affectograph["'];?$/m, "const $1 = await import('affectograph');");
    assert.ok(code.includes('await import('), module);
    mkdirSync(join(root, 'app'), { recursive: true });
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'next-shop', private: true }));
    writeFileSync(join(root, 'next.config.mjs'), "export default { output: 'export' };\n");
    writeFileSync(join(root, 'app/layout.js'), "export default function Layout({ children }) { return <html lang=\"en\"><body>{children}</body></html>; }\n");
    writeFileSync(join(root, 'app/page.js'), `'use client';
import { useEffect } from 'react';
const begin = async () => {
${code}
window.recorder = recorder;
};
export default function Page() {
  useEffect(() => { window.begun ??= begin(); }, []);
  return <button id="buy">Buy now</button>;
}
`);
    npm(root, 'install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', 'next@16.4.6', 'react@19', 'react-dom@19');
    cpSync(installed, join(root, 'node_modules/affectograph'), { recursive: true, dereference: true });
    for (const name of ['rxjs', 'tslib']) cpSync(join(CLIENT, 'node_modules', name), join(root, 'node_modules', name), { recursive: true });
    console.log(`Next and its packages: ${execFileSync('du', ['-sm', join(root, 'node_modules')]).toString().split('\t')[0]} MB`);
    execFileSync('npx', ['next', 'build'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } });
    pages['/'] = readFileSync(join(root, 'out/index.html'), 'utf8');
    await record(shop.url);
  } finally {
    shop.close();
  }
});
