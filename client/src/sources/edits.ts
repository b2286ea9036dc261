// What was typed and what was deleted: each edit with its place, its length, and its words where they may be kept.

import { memory } from '../natives/js';
import {
  HTMLInputElement, HTMLTextAreaElement, areaCaret, areaValue, contentOf, here, inputCaret, inputValue, isElement,
} from '../natives/dom';
import { type Source, laneOf, spot, synthetic } from '../capture/capture';
import type { Body } from '../capture/emit';
import { isTextField } from '../capture/privacy';
import { deep, selector } from '../capture/selector';
import { difference, text } from '../capture/text';

const TYPED = 4000;

const contents = (node: Element): string =>
  node instanceof HTMLInputElement ? inputValue(node)
    : node instanceof HTMLTextAreaElement ? areaValue(node)
      : contentOf(node) ?? '';

const caretOf = (node: Element): number | undefined => {
  const caret = node instanceof HTMLInputElement ? inputCaret(node)
    : node instanceof HTMLTextAreaElement ? areaCaret(node) : null;
  return typeof caret === 'number' ? caret : undefined;
};

export const edits: Source = ({ emit, masks, on }) => {
  const known = memory<string>();
  const remember = (event: Event) => {
    const node = deep(event);
    if (isElement(node) && isTextField(node)) {
      masks.look(node);
      known.set(node, contents(node));
    }
  };
  on(here, 'beforeinput', remember);
  on(here, 'focus', remember);
  on<InputEvent>(here, 'input', (event, t) => {
    const node = deep(event);
    if (!isElement(node) || !isTextField(node)) return;
    const fresh = contents(node);
    const old = known.get(node) ?? '';
    known.set(node, fresh);
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
      const caret = caretOf(node);
      const change = difference(old, fresh, caret);
      body.caret = caret;
      body.position = change.at;
      if (masks.isContentAllowed(node)) {
        body.inserted = text(change.inserted, TYPED);
        body.deleted = text(change.deleted, TYPED);
      }
      body.inserted_length = change.inserted.length;
      body.deleted_length = change.deleted.length;
    }
    emit.now(laneOf(event), 'input', t, body);
  });
  on(here, 'compositionstart', (event, t) => {
    emit.now(laneOf(event), 'composition_start', t, spot(masks, event, deep(event)));
  });
  on(here, 'compositionend', (event, t) => {
    emit.now(laneOf(event), 'composition_end', t, spot(masks, event, deep(event)));
  });
  return undefined;
};
