// The library as a script (`dist/affectograph.min.js`): `affectograph` in the window. Exports of esbuild's own would be read with
// `for … in`, which also reads what old libraries add to `Object.prototype`.

import { VERSION, createRecorder, only } from './index';
import type { RecorderOptions } from './options';

// The folder of this script. In a script of another origin, `import('./…')` has no address to begin from.
const script = document.currentScript;
const own = script instanceof HTMLScriptElement && script.src ? new URL('.', script.src).href : document.baseURI;

// In the lab's page the name is taken and stays as it is.
Reflect.set(globalThis, 'affectograph', {
  createRecorder: (options: RecorderOptions) => createRecorder({ ...options, assets: options?.assets ?? own }), only, VERSION,
});
