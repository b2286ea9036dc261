// The library as a script (`dist/affectograph.min.js`): `affectograph` in the window. Exports of esbuild's own would be read with
// `for … in`, which also reads what old libraries add to `Object.prototype`.

import { VERSION, createRecorder, only } from './index';

// In the lab's page the name is taken and stays as it is.
Reflect.set(globalThis, 'affectograph', { createRecorder, only, VERSION });
