// Edits: the position and the length of each insertion and deletion, and its text where that may be kept.

import { memory } from '../natives/js';
import {
  areaCaret, areaValue, inputCaret, inputValue, isArea, isElement, isInput, rangesOf, selectionOf,
} from '../natives/dom';
import { type Source, laneOf, spot, synthetic } from '../capture/capture';
import { type Point, editableText, point } from '../capture/content';
import type { Body } from '../capture/emit';
import type { Place } from '../capture/frames';
import { isTextField } from '../capture/privacy';
import { deep, selector } from '../capture/selector';
import { difference, text } from '../capture/text';

const TYPED = 4000;

/** The text of a field, and the selection in it. */
interface Reading { __proto__: null; text: string; caret: number | undefined; from: number | undefined; until: number | undefined }

const at = (p: Point | undefined): number | undefined => (p && p.at >= 0 ? p.at : undefined);
const start = (range: StaticRange) => point(range.startContainer, range.startOffset);
const end = (range: StaticRange) => point(range.endContainer, range.endOffset);

/** With `event`: the field before that event changes it. */
const read = (node: Element, place: Place, event: InputEvent | null): Reading => {
  const reading: Reading = { __proto__: null, text: '', caret: undefined, from: undefined, until: undefined };
  if (isInput(node) || isArea(node)) {
    reading.text = isInput(node) ? inputValue(node) : areaValue(node);
    const caret = event ? null : isInput(node) ? inputCaret(node) : areaCaret(node);
    if (typeof caret === 'number') reading.caret = caret;
    return reading;
  }
  const range = event && rangesOf ? rangesOf(event)[0] : undefined;
  const chosen = event ? null : selectionOf(place.document);
  const focus = chosen?.focusNode ? point(chosen.focusNode, chosen.focusOffset) : undefined;
  const from = range && start(range);
  const until = range && end(range);
  reading.text = editableText(node, focus, from, until);
  reading.caret = at(focus);
  reading.from = at(from);
  reading.until = at(until);
  return reading;
};

/** Where the change ends in the new text if there is no caret: after the text that replaced the range. */
const endOf = (old: Reading, fresh: Reading): number | undefined => {
  if (old.from === undefined || old.until === undefined) return undefined;
  const inserted = fresh.text.length - old.text.length + old.until - old.from;
  return inserted >= 0 ? old.from + inserted : undefined;
};

const EMPTY: Reading = { __proto__: null, text: '', caret: undefined, from: undefined, until: undefined };

export const edits: Source = ({ emit, masks, on }) => {
  const known = memory<Reading>();
  const remember = (event: Event, place: Place, before: InputEvent | null) => {
    const node = deep(event);
    if (isElement(node) && isTextField(node)) {
      masks.checkSecret(node);
      known.set(node, read(node, place, before));
    }
  };
  on<InputEvent>('window', 'beforeinput', (event, _, place) => remember(event, place, event));
  on('window', 'focus', (event, _, place) => remember(event, place, null));
  on<InputEvent>('window', 'input', (event, at, place) => {
    const node = deep(event);
    if (!isElement(node) || !isTextField(node)) return;
    const reading = read(node, place, null);
    const before = known.get(node) ?? EMPTY;
    known.set(node, reading);
    const fresh = reading.text;
    const old = before.text;
    const masked = masks.isTypingMasked(node);
    const body: Body = {
      __proto__: null,
      target: selector(node),
      how: event.inputType ? text(event.inputType, 40) : undefined,
      length_before: old.length,
      length_after: fresh.length,
      is_composing: event.isComposing || undefined,
      is_masked: masked || undefined,
      synthetic: synthetic(event),
    };
    if (!masked) {
      const { caret } = reading;
      const change = difference(old, fresh, caret ?? endOf(before, reading));
      body.caret = caret;
      body.position = change.at;
      if (masks.isContentAllowed(node)) {
        body.inserted = text(change.inserted, TYPED);
        body.deleted = text(change.deleted, TYPED);
      }
      body.inserted_length = change.inserted.length;
      body.deleted_length = change.deleted.length;
    }
    emit.now(laneOf(event), 'input', at, body);
  });
  on('window', 'compositionstart', (event, at) => {
    emit.now(laneOf(event), 'composition_start', at, spot(masks, event, deep(event)));
  });
  on('window', 'compositionend', (event, at) => {
    emit.now(laneOf(event), 'composition_end', at, spot(masks, event, deep(event)));
  });
  return undefined;
};
