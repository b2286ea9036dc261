// Whether the page is visible.

import { page } from '../natives/dom';
import type { Source } from '../capture/capture';
import { text } from '../capture/text';

export const visibility: Source = ({ emit, onPage }) => {
  onPage('document', 'visibilitychange', (_, at) => {
    emit.now('p', 'visibility', at, { __proto__: null, state: text(page.visibilityState, 16) });
  });
  return undefined;
};
