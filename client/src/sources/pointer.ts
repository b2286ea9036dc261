// Presses, clicks and where the pointer goes.

import { here } from '../natives/dom';
import { type Source, laneOf, synthetic } from '../capture/capture';
import { deep, selector } from '../capture/selector';
import { text } from '../capture/text';

const KINDS = ['pointerdown', 'pointerup', 'pointercancel', 'click', 'dblclick', 'contextmenu'];

export const pointer: Source = ({ emit, masks, on }) => {
  for (let i = 0; i < KINDS.length; i++) {
    const kind = KINDS[i]!;
    on<PointerEvent>(here, kind, (event, t) => {
      const node = deep(event);
      emit.now(laneOf(event), kind, t, {
        __proto__: null,
        target: selector(node),
        label: masks.label(node),
        x_px: event.clientX,
        y_px: event.clientY,
        button: event.button,
        buttons: event.buttons,
        count: event.detail || undefined,
        device: event.pointerType ? text(event.pointerType, 16) : undefined,
        synthetic: synthetic(event),
      });
    });
  }
  on<PointerEvent>(here, 'pointermove', (event, t) => {
    const node = deep(event);
    const { clientX: x_px, clientY: y_px, buttons } = event;
    const bySynthesis = synthetic(event);
    emit.throttled('move', laneOf(event), 'pointermove', t, null, () => ({
      __proto__: null, target: selector(node), x_px, y_px, buttons, synthetic: bySynthesis,
    }));
  });
  return undefined;
};
