// Full screen, printing, and the orientation of the screen.

import { fullScreenOf, orientation } from '../natives/dom';
import { type Source } from '../capture/capture';
import { deep, selector } from '../capture/selector';
import { text } from '../capture/text';

export const screen: Source = ({ emit, on, onPage }) => {
  if (fullScreenOf) {
    on('document', fullScreenOf.event, (event, at, place) => {
      emit.now('p', 'fullscreen', at, {
        __proto__: null, target: selector(deep(event)), is_full: fullScreenOf!.of(place.document) !== null,
      });
    });
  }
  on('window', 'beforeprint', (_, at) => emit.now('p', 'print', at, { __proto__: null, is_over: false }));
  on('window', 'afterprint', (_, at) => emit.now('p', 'print', at, { __proto__: null, is_over: true }));
  if (orientation) {
    onPage(orientation, 'change', (_, at) => emit.now('p', 'orientation', at, {
      __proto__: null, orientation: text(orientation!.type, 32), angle_deg: orientation!.angle,
    }));
  }
  return undefined;
};
