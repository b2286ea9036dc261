// What both builds share: esbuild's settings, and the licences of the packages inside the bundles.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { EXPRESSIONS } from './expressions.mjs';
import { licenceTexts } from './licences.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const LICENCES = 'THIRD_PARTY_LICENSES.txt';

/** Bundles into one folder, and writes the licences of everything that the bundles contain. */
export class Bundler {
  #inputs = new Set();

  constructor(folder) {
    this.folder = folder;
  }

  /** `name` is the file to write; the rest are esbuild's options. */
  async bundle(name, source, options = {}) {
    const { metafile } = await build({
      absWorkingDir: ROOT, entryPoints: [source], outfile: `${this.folder}/${name}`,
      bundle: true, charset: 'utf8', metafile: true, logLevel: 'warning', target: 'es2022',
      conditions: ['es2015'], // RxJS as modern JavaScript, not its build for browsers of 2011
      legalComments: 'eof',
      ...options,
      define: { ...EXPRESSIONS, ...options.define },
    });
    for (const output of Object.values(metafile.outputs)) {
      for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
        if (bytesInOutput > 0) this.#inputs.add(input);
      }
    }
  }

  async writeLicences() {
    await writeFile(`${this.folder}/${LICENCES}`, await licenceTexts(ROOT, this.#inputs));
  }
}
