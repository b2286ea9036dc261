// Sliders, boxes, lists and forms.

import {
  HTMLInputElement, HTMLSelectElement, here, inputChecked, inputType, inputValue, isElement, nameOf, selectIndex,
  selectValue,
} from '../natives/dom';
import { type Source, laneOf, spot, synthetic } from '../capture/capture';
import type { Body } from '../capture/emit';
import { type Masking, isTextField } from '../capture/privacy';
import { deep, selector } from '../capture/selector';
import { text } from '../capture/text';

const VALUE = 200;

const control = (masks: Masking, event: Event, node: Element, isFinal: boolean): Body => {
  const type = node instanceof HTMLInputElement ? inputType(node) : nameOf(node);
  const masked = masks.isMasked(node);
  const body: Body = {
    __proto__: null,
    target: selector(node),
    control: text(type, 16),
    is_final: isFinal,
    is_masked: masked || undefined,
    synthetic: synthetic(event),
  };
  if (masked || isTextField(node)) return body; // what was typed is in the input events
  if (node instanceof HTMLSelectElement) {
    body.value = text(selectValue(node), VALUE);
    body.index = selectIndex(node);
  } else if (type === 'checkbox' || type === 'radio') {
    body.is_checked = inputChecked(node as HTMLInputElement);
    body.value = text(inputValue(node as HTMLInputElement), VALUE);
  } else if (type !== 'file' && node instanceof HTMLInputElement
    && (masks.isChoice(node) || masks.isContentAllowed(node))) {
    body.value = text(inputValue(node), VALUE);
  }
  return body;
};

export const controls: Source = ({ emit, masks, on }) => {
  on(here, 'input', (event, t) => {
    const node = deep(event);
    if (node instanceof HTMLInputElement && inputType(node) === 'range') {
      emit.throttled('slide', laneOf(event), 'change', t, node, () => control(masks, event, node, false));
    }
  });
  on(here, 'change', (event, t) => {
    const node = deep(event);
    if (isElement(node)) emit.now(laneOf(event), 'change', t, control(masks, event, node, true));
  });
  on(here, 'submit', (event, t) => emit.now('p', 'submit', t, spot(masks, event, deep(event))));
  return undefined;
};
