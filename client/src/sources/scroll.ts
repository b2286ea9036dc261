// Scrolling of the page and its elements, and the size of the viewport.

import { isElement, targetOf } from '../natives/dom';
import { type Source, size } from '../capture/capture';
import { selector } from '../capture/selector';

export const scroll: Source = ({ emit, on, onPage }) => {
  on('window', 'scroll', (event, at, place) => {
    const node = targetOf(event);
    emit.throttled('scroll', 'u', 'scroll', at, node, () => ({
      __proto__: null,
      target: selector(node),
      x_px: isElement(node) ? node.scrollLeft : place.window.scrollX,
      y_px: isElement(node) ? node.scrollTop : place.window.scrollY,
    }));
  });
  onPage('window', 'resize', (_, at) => emit.now('p', 'resize', at, size()));
  return undefined;
};
