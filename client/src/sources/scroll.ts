// How far the page and the boxes in it are scrolled, and how large the view is.

import { here, isElement, targetOf } from '../natives/dom';
import { type Source, size } from '../capture/capture';
import { selector } from '../capture/selector';

export const scroll: Source = ({ emit, on }) => {
  on(here, 'scroll', (event, t) => {
    const node = targetOf(event);
    emit.throttled('scroll', 'u', 'scroll', t, node, () => ({
      __proto__: null,
      target: selector(node),
      x_px: isElement(node) ? node.scrollLeft : here.scrollX,
      y_px: isElement(node) ? node.scrollTop : here.scrollY,
    }));
  });
  on(here, 'resize', (_, t) => emit.now('p', 'resize', t, size()));
  return undefined;
};
