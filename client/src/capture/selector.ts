// A short CSS selector of the element of an event.

import { stringify, slice } from '../natives/js';
import {
  attribute, cssEscape, documentOf, here, idOf, isDocument, isElement, nameOf, page, parentOf, pathOf, previousOf, shadowHost,
  targetOf,
} from '../natives/dom';
import { frameOf } from './frames';
import { text } from './text';

const SELECTOR = 256;

/** The innermost target of the event, also in open shadow roots. */
export const deep = (event: Event): EventTarget | null => {
  const path = pathOf(event);
  return path.length > 0 ? path[0]! : targetOf(event);
};

/** The parent of a node. The parent of a shadow root is its host, and of a document its frame. */
export const up = (node: Node): Node | null => {
  const parent = parentOf(node);
  if (!parent) return null;
  return (isDocument(parent) ? frameOf(parent) : shadowHost(parent)) ?? parent;
};

const step = (element: Element): string => {
  const name = nameOf(element);
  const id = idOf(element);
  if (id) return name + '#' + cssEscape(id);
  const testId = attribute(element, 'data-testid');
  if (testId) return name + '[data-testid=' + stringify(text(testId, 80)) + ']';
  let k = 1;
  for (let e = previousOf(element); e; e = previousOf(e)) if (nameOf(e) === name) k++;
  return name === 'body' || name === 'html' ? name : name + ':nth-of-type(' + k + ')';
};

/** The prefix for an element in a frame: `iframe#task >> `. */
const within = (inner: unknown): string => {
  const frame = typeof inner === 'object' && inner !== null && inner !== page && inner !== here ? frameOf(inner) : undefined;
  return frame ? path(frame) + ' >> ' : '';
};

const path = (node: unknown): string => {
  if (isDocument(node)) return within(node) + 'document';
  if (!isElement(node)) {
    const frame = within(node);
    return frame ? frame + 'window' : node === here ? 'window' : 'document';
  }
  let path = '';
  for (let e: Node | null = node; isElement(e); e = up(e)) {
    const s = step(e);
    path = path ? s + ' > ' + path : s;
    const name = nameOf(e);
    if (idOf(e) || attribute(e, 'data-testid') || name === 'body' || name === 'html') break;
  }
  return within(documentOf(node)) + path;
};

export const selector = (node: unknown): string => {
  const all = path(node);
  // The end of a long path is more specific than its beginning.
  return text(all.length > SELECTOR ? slice(all, all.length - SELECTOR) : all, SELECTOR);
};
