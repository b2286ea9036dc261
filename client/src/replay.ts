// The page itself, recorded by rrweb, to be replayed beside face and plots. Loaded only where a study wants it.

import { load } from './assets';
import type { Masking } from './capture/privacy';
import type { Settings } from './options';

/** What our own build of rrweb exports: see `rrweb.ts`. */
type Rrweb = typeof import('./rrweb');

/** Hands on each event of rrweb; the result ends that. */
export const startReplay = async (
  settings: Settings, masks: Masking, store: (page_ms: number, json: string) => void,
): Promise<() => void> => {
  const { recordPage } = await load<Rrweb>(settings.assets, 'rrweb.js');
  return recordPage(masks, (event) => store(performance.now(), JSON.stringify(event)));
};
