// rrweb with our rules, a file of its own (`dist/rrweb.js`).

import { type eventWithTime, record } from 'rrweb';

/** Everything typed is masked, and what the study masks is a grey box: nothing of it is ever read. */
export const recordPage = (mask: readonly string[], tell: (event: eventWithTime) => void): (() => void) => {
  const blocked = ['[data-affectograph]', ...mask].join(',');
  const stop = record({
    emit: tell,
    maskAllInputs: true,
    blockSelector: blocked,
    inlineImages: false,
    collectFonts: false,
    recordCanvas: false,
    recordCrossOriginIframes: false,
    sampling: { mousemove: 50, scroll: 100, input: 'last' },
    errorHandler: () => true, // ours to bear, not the page's
  });
  return () => stop?.();
};
