// Records the page with rrweb, to be replayed beside face and plots. Loaded only with the option `replay`.

import { load } from './assets';
import type { Masking } from './capture/privacy';
import { json } from './natives/plain';
import type { Settings } from './options';

/** The exports of `rrweb.ts`. */
type Rrweb = typeof import('./rrweb');

/** Stores each event of rrweb. The returned function ends the recording. */
export const startReplay = async (
  settings: Settings, masks: Masking, store: (page_ms: number, json: string) => void,
): Promise<() => void> => {
  const { recordPage } = await load<Rrweb>(settings.assets, 'rrweb.js');
  return recordPage(masks, (event) => store(performance.now(), json(event)));
};
