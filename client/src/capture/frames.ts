// Frames of the page's own origin. Each has its own window, document and clock, and is recorded like the page. Frames of
// other origins are only counted.

import { memory } from '../natives/js';
import { clockOffset, frameElementOf, framesIn, here, page, rectOf } from '../natives/dom';

/** The page, or one document in one of its frames. */
export interface Place {
  __proto__: null;
  window: Window;
  document: Document;
  /** The frame element and the place that contains it; `null` for the page itself. */
  element: Element | null;
  parent: Place | null;
  /** Added to a time of its clock, this gives a time of the page's clock, in ms. */
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

/** Converts a position in a frame's viewport to the page's viewport. */
export const inPage = (at: Place, x: number, y: number): { x: number; y: number } => {
  for (let p = at; p.element && p.parent; p = p.parent) {
    const frame = p.element as HTMLElement;
    const rect = rectOf(frame);
    // CSS can scale a frame.
    const scale = frame.offsetWidth > 0 ? rect.width / frame.offsetWidth : 1;
    x = rect.left + (frame.clientLeft + x) * scale;
    y = rect.top + (frame.clientTop + y) * scale;
  }
  return { __proto__: null, x, y } as { x: number; y: number };
};

export interface Frames {
  /** Finds frames that are new or have a new document. */
  find(): void;
  /** Visits each place that exists now, the page first. */
  each(run: (at: Place) => void): void;
  /** Frames found so far, and those of them that are of another origin. */
  count: number;
  unseen: number;
}

/** `enter` is called with each new document, `leave` with each one that was replaced in its window. */
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
