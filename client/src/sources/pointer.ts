// Presses, clicks, dragging, and movements of the pointer.

import { coalesced } from '../natives/dom';
import { type Source, laneOf, synthetic, viewed } from '../capture/capture';
import { deep, selector } from '../capture/selector';
import { text } from '../capture/text';

const KINDS = ['pointerdown', 'pointerup', 'pointercancel', 'click', 'dblclick', 'contextmenu'];
/** The dragged content is not recorded. */
const DRAGS = ['dragstart', 'drop', 'dragend'];

/** Pens and fingers have a pressure. A mouse has none. */
const pressure = (event: PointerEvent): number | undefined =>
  event.pointerType && event.pointerType !== 'mouse' ? event.pressure : undefined;

export const pointer: Source = ({ emit, masks, on, timed }) => {
  for (let i = 0; i < KINDS.length; i++) {
    const kind = KINDS[i]!;
    on<PointerEvent>('window', kind, (event, at, place) => {
      const node = deep(event);
      emit.now(laneOf(event), kind, at, viewed({
        __proto__: null,
        target: selector(node),
        label: masks.label(node),
        button: event.button,
        buttons: event.buttons,
        count: event.detail || undefined,
        device: event.pointerType ? text(event.pointerType, 16) : undefined,
        pressure: pressure(event),
        synthetic: synthetic(event),
      }, place, event.clientX, event.clientY));
    });
  }
  on<PointerEvent>('window', 'pointermove', (event, at, place) => {
    const node = deep(event);
    const bySynthesis = synthetic(event);
    const move = (one: PointerEvent, when: typeof at) => {
      const { clientX, clientY, buttons } = one;
      emit.throttled('move', laneOf(event), 'pointermove', when, null, () => viewed({
        __proto__: null,
        target: selector(node),
        buttons,
        device: one.pointerType && one.pointerType !== 'mouse' ? text(one.pointerType, 16) : undefined,
        pressure: pressure(one),
        synthetic: bySynthesis,
      }, place, clientX, clientY));
    };
    // The browser stores the pointer's path, with its times, while the page is busy.
    const way = coalesced && !bySynthesis ? coalesced(event) : undefined;
    if (!way || way.length < 2) return move(event, at);
    for (let i = 0; i < way.length; i++) move(way[i]!, timed(way[i]!, 'pointermove', at.handled, place));
  });
  for (let i = 0; i < DRAGS.length; i++) {
    const kind = DRAGS[i]!;
    on<DragEvent>('window', kind, (event, at, place) => {
      const node = deep(event);
      emit.now(laneOf(event), kind, at, viewed({
        __proto__: null,
        target: selector(node),
        effect: kind === 'dragend' && event.dataTransfer ? text(event.dataTransfer.dropEffect, 16) : undefined,
        is_masked: masks.isMasked(node) || undefined,
        synthetic: synthetic(event),
      }, place, event.clientX, event.clientY));
    });
  }
  return undefined;
};
