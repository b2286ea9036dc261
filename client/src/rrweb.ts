// rrweb with our privacy policy, a separate file (`dist/rrweb.js`).

import { type eventWithTime, record } from 'rrweb';
import type { Masking } from './capture/privacy';
import { replayFilter } from './replay/filter';

/** Names of query parameters that contain typed text. */
const TYPED = /^(q|query|search|s|keywords?|term|name|first.?name|last.?name|user(name)?|e?mail|phone|tel|address|city|zip|message|comment)$/i;

/** rrweb records masked elements as grey boxes. The privacy policy decides about everything else. */
export const recordPage = (masks: Masking, store: (event: unknown) => void): (() => void) => {
  // The text of a search sent by GET appears on the page of results.
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (TYPED.test(name)) masks.privateWords.learn(value, false);
    else if (value.length >= 24 || value.length >= 6 && /\d/.test(value)) masks.privateWords.learnWhole(value);
  }
  const kept = replayFilter(masks, record.mirror);
  const stop = record({
    emit: (event: eventWithTime) => {
      const allowed = kept(event as never);
      if (allowed) store(allowed);
    },
    maskAllInputs: true,
    blockSelector: ['[data-affectograph]', masks.masks].filter((selector) => selector !== '').join(','),
    inlineImages: false,
    collectFonts: false,
    recordCanvas: false,
    recordCrossOriginIframes: false,
    sampling: { mousemove: 50, scroll: 100, input: 'last' },
    errorHandler: () => true, // rrweb's errors do not reach the page
  });
  return () => stop?.();
};
