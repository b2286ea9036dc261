// Where the keyboard goes, and what is selected, copied and pasted there; never the words themselves.

import { here, isElement, page, selection } from '../natives/dom';
import { type Source, laneOf, spot } from '../capture/capture';
import { deep, selector, up } from '../capture/selector';

const CLIPBOARD = ['copy', 'cut', 'paste'];

export const focus: Source = ({ emit, masks, on }) => {
  on(here, 'focus', (event, t) => emit.now('p', 'focus', t, spot(masks, event, deep(event))));
  on(here, 'blur', (event, t) => emit.now('p', 'blur', t, spot(masks, event, deep(event))));
  on(page, 'selectionchange', (_, t) => {
    const chosen = selection();
    if (!chosen || chosen.isCollapsed) return;
    const node = chosen.anchorNode;
    const element = isElement(node) ? node : node && up(node);
    emit.throttled('select', 'p', 'selection', t, null, () => ({
      __proto__: null, target: selector(element), is_masked: masks.isMasked(element) || undefined,
    }));
  });
  for (let i = 0; i < CLIPBOARD.length; i++) {
    const kind = CLIPBOARD[i]!;
    on(here, kind, (event, t) => emit.now(laneOf(event), kind, t, spot(masks, event, deep(event))));
  }
  return undefined;
};
