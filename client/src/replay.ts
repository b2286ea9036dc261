// Records the page with rrweb, to be replayed beside face and plots. Loaded only with the option `replay`.

import { load } from './assets';
import type { Masking } from './capture/privacy';
import { json } from './natives/plain';
import type { Settings } from './options';

/** Stores each event of rrweb. The returned function ends the recording. */
export const startReplay = async (
  settings: Settings, masks: Masking, store: (page_ms: number, json: string) => void,
): Promise<() => void> => {
  const { recordPage } = await load(settings.assets, 'rrweb.js', () => import('./rrweb'));
  return recordPage(masks, (event) => store(performance.now(), json(event)));
};
