// Builds the web parts that the program embeds: `node scripts/build-web.mjs FOLDER`.
//
// recorder.js: the recording script of the lab's pages. replay.js: shows a recorded page again. dashboard/: the server's
// pages for its owner. client/: the library, which the server hosts. `scripts/build-web` in the project's root runs this when a source has changed.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Bundler, LICENCES, ROOT } from './bundle.mjs';
import { bundleLibrary } from './library.mjs';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('Usage: node scripts/build-web.mjs FOLDER');
  process.exit(2);
}
const web = new Bundler(resolve(folder));
const licences = {
  js: `// Licences of the packages inside: ${LICENCES}`, css: `/* Licences of the packages inside: ${LICENCES} */`,
};
await mkdir(`${web.folder}/dashboard`, { recursive: true });
await web.bundle('recorder.js', 'src/lab.ts', { format: 'iife' });
await web.bundle('replay.js', 'src/replay-view.ts', { format: 'iife', minify: true, loader: { '.css': 'text' }, banner: licences });
await web.bundle('dashboard/main.js', 'dashboard/main.js', { format: 'esm', minify: true, banner: licences });
await web.bundle('dashboard/style.css', 'dashboard/style.css', { minify: true, banner: licences });
await web.bundle('dashboard/replay.js', 'dashboard/replay.js', { format: 'esm', minify: true, banner: licences });
await web.bundle('dashboard/replay.css', 'dashboard/replay.css', { minify: true, banner: licences });
for (const page of ['index.html', 'replay.html']) await copyFile(`${ROOT}dashboard/${page}`, `${web.folder}/dashboard/${page}`);
await copyFile(`${ROOT}../assets/icon.svg`, `${web.folder}/dashboard/icon.svg`);
await web.writeLicences();
await copyFile(`${web.folder}/${LICENCES}`, `${web.folder}/dashboard/${LICENCES}`);

await bundleLibrary(`${web.folder}/client`);
const { version } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
await writeFile(`${web.folder}/client-version.txt`, version);
