// Sliders, boxes, lists and forms.

import { list } from '../natives/js';
import {
  countOf, inputChecked, inputType, inputValue, isElement, isInput, isSelect, nameOf, optionChosen, optionValue, selectIndex,
  selectMany, selectOptions, selectValue,
} from '../natives/dom';
import { type Source, laneOf, spot, synthetic } from '../capture/capture';
import type { Body } from '../capture/emit';
import { type Masking, isTextField } from '../capture/privacy';
import { deep, selector } from '../capture/selector';
import { text } from '../capture/text';

const VALUE = 200;
/** At most this many selected options are named, of the first options of a list. A longer list is recorded by the number of
 * selected options. */
const MOST_NAMED = 50;
const MOST_LOOKED_AT = 10_000;

/** All selected options of a list. */
const chosen = (body: Body, node: HTMLSelectElement): void => {
  const options = selectOptions(node);
  const values = list<string>();
  const indices = list<number>();
  const length = countOf(options);
  let count = 0;
  for (let i = 0; i < length && i < MOST_LOOKED_AT; i++) {
    if (!optionChosen(options[i]!)) continue;
    if (count < MOST_NAMED) {
      values[count] = text(optionValue(options[i]!), VALUE);
      indices[count] = i;
    }
    count++;
  }
  body.values = values;
  body.indices = indices;
  body.chosen = count;
};

const control = (masks: Masking, event: Event, node: Element, isFinal: boolean): Body => {
  const type = isInput(node) ? inputType(node) : nameOf(node);
  const masked = masks.isMasked(node);
  const body: Body = {
    __proto__: null,
    target: selector(node),
    control: text(type, 16),
    is_final: isFinal,
    is_masked: masked || undefined,
    synthetic: synthetic(event),
  };
  if (masked || isTextField(node)) return body; // the `input` events contain what was typed
  if (isSelect(node)) {
    if (selectMany(node)) chosen(body, node);
    body.value = text(selectValue(node), VALUE);
    body.index = selectIndex(node);
  } else if (type === 'checkbox' || type === 'radio') {
    body.is_checked = inputChecked(node as HTMLInputElement);
    body.value = text(inputValue(node as HTMLInputElement), VALUE);
  } else if (type !== 'file' && isInput(node)
    && (masks.isChoice(node) || masks.isContentAllowed(node))) {
    body.value = text(inputValue(node), VALUE);
  }
  return body;
};

export const controls: Source = ({ emit, masks, on }) => {
  on('window', 'input', (event, at) => {
    const node = deep(event);
    if (isInput(node) && inputType(node) === 'range') {
      emit.throttled('slide', laneOf(event), 'change', at, node, () => control(masks, event, node, false));
    }
  });
  on('window', 'change', (event, at) => {
    const node = deep(event);
    if (isElement(node)) emit.now(laneOf(event), 'change', at, control(masks, event, node, true));
  });
  on('window', 'submit', (event, at) => emit.now('p', 'submit', at, spot(masks, event, deep(event))));
  return undefined;
};
