// rrweb with our rules, a file of its own (`dist/rrweb.js`).

import { type eventWithTime, record } from 'rrweb';
import type { Masking } from './capture/privacy';
import { replayFilter } from './replay/filter';

/** Names of what somebody typed, in an address. */
const TYPED = /^(q|query|search|s|keywords?|term|name|first.?name|last.?name|user(name)?|e?mail|phone|tel|address|city|zip|message|comment)$/i;

/** What the study masks is a grey box for rrweb already; what else may be told, the privacy policy decides. */
export const recordPage = (masks: Masking, store: (event: unknown) => void): (() => void) => {
  // A search sent by GET comes back on the page that it leads to.
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
    errorHandler: () => true, // ours to bear, not the page's
  });
  return () => stop?.();
};
