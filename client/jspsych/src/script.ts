// The extension as a script (`dist/affectograph-jspsych.min.js`): `jsPsychExtensionAffectograph` in the window.

import AffectographExtension from './index';

Reflect.set(globalThis, 'jsPsychExtensionAffectograph', AffectographExtension);
