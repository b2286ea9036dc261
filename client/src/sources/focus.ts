// Focus, selection, copy and paste, without the text itself.

import { isElement, selectionOf } from '../natives/dom';
import { type Source, laneOf, spot } from '../capture/capture';
import { deep, selector, up } from '../capture/selector';

const CLIPBOARD = ['copy', 'cut', 'paste'];

export const focus: Source = ({ emit, masks, on }) => {
  on('window', 'focus', (event, at) => emit.now('p', 'focus', at, spot(masks, event, deep(event))));
  on('window', 'blur', (event, at) => emit.now('p', 'blur', at, spot(masks, event, deep(event))));
  on('document', 'selectionchange', (_, at, place) => {
    const chosen = selectionOf(place.document);
    if (!chosen || chosen.isCollapsed) return;
    const node = chosen.anchorNode;
    const element = isElement(node) ? node : node && up(node);
    emit.throttled('select', 'p', 'selection', at, null, () => ({
      __proto__: null, target: selector(element), is_masked: masks.isMasked(element) || undefined,
    }));
  });
  for (let i = 0; i < CLIPBOARD.length; i++) {
    const kind = CLIPBOARD[i]!;
    on('window', kind, (event, at) => emit.now(laneOf(event), kind, at, spot(masks, event, deep(event))));
  }
  return undefined;
};
