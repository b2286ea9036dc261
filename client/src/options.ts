// The options of a recorder, and their check.

import type { ConsentText } from './consent/text';
import type { SignText } from './sign/text';

export type Camera = 'video' | 'scores' | 'off';

export interface RecorderOptions {
  /** The address of `affectograph serve`: `https://affect.example.org`. */
  server: string;
  /** The study's short name. */
  study: string;
  /** The study's public write key, from the server's dashboard. It can only add sessions from the site's origin. */
  key: string;
  /** The site's pseudonym of the visitor. The default is the server's next free one. */
  participant?: string;
  /** `"video"`: pictures go to the server. `"scores"`: the browser scores them and sends no picture. The study can permit less.
   * The default is what the study says, else `"off"`. */
  camera?: Camera;
  /** CSS selectors of elements for which only the occurrence of events is recorded. They are added to the study's own. */
  mask?: string[];
  /** The text of the consent dialog, complete or in part. */
  consent?: Partial<ConsentText>;
  /** Asks the visitor again, although this browser remembers an answer. */
  askAgain?: boolean;
  /** The sign that the visitor is recorded, with pause, withdrawal and own data: its words, or `false` if the page shows its own. */
  sign?: Partial<SignText> | false;
  /** The site has asked for consent itself: the time, and the text that the visitor agreed to. No dialog is shown. */
  consentGiven?: true | { given_utc_ms?: number; text?: string };
  /** Also records the page itself with rrweb for replay. */
  replay?: boolean;
  /** The folder with this library's other files (`scores.worker.js`, `rrweb.js`). The default is the folder of the script, or in
   * modules what the bundler found. */
  assets?: string;
  /** The folder with the networks for `"scores"`; the default is the server's. */
  models?: string;
}

export interface Settings extends RecorderOptions {
  /** Without a slash at its end. */
  server: string;
  camera: Camera;
  /** The page has chosen the camera. */
  isCameraGiven: boolean;
  mask: string[];
  /** The identifier in the recruiting link of this page, or an empty text. `transport/link.ts` reads it once. */
  link?: string;
}

const ORDER: Camera[] = ['off', 'scores', 'video'];

/** Takes over what the study says about camera and replay. The page can use less, not more. */
export const obey = (settings: Settings, study: { camera?: Camera; replay?: boolean }): void => {
  const { camera, replay } = study;
  if (camera !== undefined && (!settings.isCameraGiven || ORDER.indexOf(settings.camera) > ORDER.indexOf(camera))) settings.camera = camera;
  if (replay !== undefined && (!replay || settings.replay === undefined)) settings.replay = replay;
};

/** Throws an error with a sentence if an option is missing or wrong, so that the site's developer sees it at once. */
export const settle = (options: RecorderOptions): Settings => {
  for (const name of ['server', 'study', 'key'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw new TypeError(`affectograph: createRecorder needs \`${name}\``);
    }
  }
  if (!/^https?:\/\//.test(options.server)) {
    throw new TypeError('affectograph: `server` must begin with https:// or http://');
  }
  const { camera = 'off', mask = [] } = options;
  if (ORDER.indexOf(camera) < 0) {
    throw new TypeError('affectograph: `camera` must be "video", "scores" or "off"');
  }
  const isCameraGiven = options.camera !== undefined;
  return { ...options, server: options.server.replace(/\/+$/, ''), camera, isCameraGiven, mask: [...mask] };
};
