// Key presses. Letters are recorded only where they may be kept.

import { toText } from '../natives/js';
import { codeOf, keyOf } from '../natives/dom';
import { type Source, laneOf, synthetic } from '../capture/capture';
import type { EventTime } from '../capture/event-time';
import { isTextField } from '../capture/privacy';
import { deep, selector } from '../capture/selector';
import { text } from '../capture/text';

export const key: Source = ({ emit, masks, on }) => {
  // A key that was pressed in a masked field stays masked when it is released elsewhere.
  const heldMasked = { __proto__: null } as unknown as Record<string, true>;
  const handle = (kind: string) => (event: KeyboardEvent, at: EventTime) => {
    const node = deep(event);
    const code = toText(codeOf(event));
    const name = text(keyOf(event), 32);
    let masked = masks.isTypingMasked(node);
    // Letters are kept only where text is kept. "Backspace" and "Enter" do not reveal the text.
    if (!masked && name.length < 3 && isTextField(node) && !masks.isContentAllowed(node)) masked = true;
    if (kind === 'keydown') {
      if (masked) heldMasked[code] = true;
    } else if (heldMasked[code]) {
      masked = true;
      delete heldMasked[code];
    }
    emit.now(laneOf(event), kind, at, {
      __proto__: null,
      target: selector(node),
      key: masked ? undefined : name,
      code: masked ? undefined : text(code, 32),
      alt: !masked && event.altKey || undefined,
      ctrl: !masked && event.ctrlKey || undefined,
      meta: !masked && event.metaKey || undefined,
      shift: !masked && event.shiftKey || undefined,
      is_repeat: event.repeat || undefined,
      is_composing: event.isComposing || undefined,
      is_masked: masked || undefined,
      synthetic: synthetic(event),
    });
  };
  on('window', 'keydown', handle('keydown'));
  on('window', 'keyup', handle('keyup'));
  return undefined;
};
