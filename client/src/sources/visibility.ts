// Whether the page is seen.

import { page } from '../natives/dom';
import type { Source } from '../capture/capture';
import { text } from '../capture/text';

export const visibility: Source = ({ emit, on }) => {
  on(page, 'visibilitychange', (_, t) => {
    emit.now('p', 'visibility', t, { __proto__: null, state: text(page.visibilityState, 16) });
  });
  return undefined;
};
