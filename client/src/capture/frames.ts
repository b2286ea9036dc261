// Frames of the page's own origin: each is a window and a document of its own, with a clock of its own, in which the
// same is recorded. Of frames of other origins it is only known that they are there.

import { memory } from '../natives/js';
import { clockOffset, frameElementOf, framesIn, here, page, rectOf } from '../natives/dom';

/** The page, or one document in a frame of it. */
export interface Place {
  __proto__: null;
  window: Window;
  document: Document;
  /** The frame that it is in, and where that is; `null` for the page itself. */
  element: Element | null;
  parent: Place | null;
  /** From its clock to the page's, in ms. */
  offset: number;
}

const MAX_FRAMES = 100;
const MAX_DEPTH = 8;
/** By document and by window. */
const elements = memory<Element>();

/** The frame in which a document or window is; `undefined` for the page itself. */
export const frameOf = (inner: object): Element | undefined => elements.get(inner);

const place = (window: Window, document: Document, element: Element | null, parent: Place | null): Place => ({
  __proto__: null, window, document, element, parent, offset: element ? clockOffset(window) : 0,
});

export const thePage = place(here, page, null, null);

/** From a place in a frame's view to the page's own view. */
export const inPage = (at: Place, x: number, y: number): { x: number; y: number } => {
  for (let p = at; p.element && p.parent; p = p.parent) {
    const frame = p.element as HTMLElement;
    const rect = rectOf(frame);
    // A frame may be shown larger or smaller than it is.
    const scale = frame.offsetWidth > 0 ? rect.width / frame.offsetWidth : 1;
    x = rect.left + (frame.clientLeft + x) * scale;
    y = rect.top + (frame.clientTop + y) * scale;
  }
  return { __proto__: null, x, y } as { x: number; y: number };
};

export interface Frames {
  /** Looks for frames that have come or have another document by now. */
  find(): void;
  /** Each place that is there now, the page first. */
  each(run: (at: Place) => void): void;
  /** Frames seen so far, and those of them that could not be looked into. */
  count: number;
  unseen: number;
}

/** `enter` is told each new document, `leave` each one that another has taken the place of in its window. */
export const frames = (enter: (at: Place) => void, leave: (at: Place) => void): Frames => {
  const known = memory<Place>();
  const foreign = memory<true>();
  const seen = memory<true>();

  const visit = (window: Window, parent: Place): Place | undefined => {
    let document: Document | null = null;
    let element: Element | null = null;
    try {
      ({ document } = window);
      element = frameElementOf(window);
    } catch {
      // of another origin
    }
    if (!seen.has(window)) {
      seen.set(window, true);
      all.count++;
    }
    if (!document || !element) {
      if (!foreign.has(window)) {
        foreign.set(window, true);
        all.unseen++;
      }
      return undefined;
    }
    const old = known.get(window);
    if (old?.document === document) return old;
    if (old) leave(old);
    const fresh = place(window, document, element, parent);
    elements.set(document, element);
    elements.set(window, element);
    known.set(window, fresh);
    enter(fresh);
    return fresh;
  };
  const walk = (parent: Place, depth: number, run: ((at: Place) => void) | undefined) => {
    const count = framesIn(parent.window);
    for (let i = 0; i < count && i < MAX_FRAMES && depth < MAX_DEPTH; i++) {
      const inner = parent.window[i]!;
      const at = run ? known.get(inner) : visit(inner, parent);
      if (!at) continue;
      if (run) run(at);
      walk(at, depth + 1, run);
    }
  };
  const all: Frames = {
    __proto__: null,
    find: () => walk(thePage, 0, undefined),
    each: (run: (at: Place) => void) => {
      run(thePage);
      walk(thePage, 0, run);
    },
    count: 0,
    unseen: 0,
  } as unknown as Frames;
  return all;
};
