// Where something happened: the shortest path that a person would write.

import { stringify, slice } from '../natives/js';
import {
  attribute, cssEscape, documentOf, here, idOf, isDocument, isElement, nameOf, page, parentOf, pathOf, previousOf, shadowHost,
  targetOf,
} from '../natives/dom';
import { frameOf } from './frames';
import { text } from './text';

const SELECTOR = 256;

/** The innermost node: open shadow roots are looked into. */
export const deep = (event: Event): EventTarget | null => {
  const path = pathOf(event);
  return path.length > 0 ? path[0]! : targetOf(event);
};

/** What a node is in: also the shadow root's element, and the frame of a document. */
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

/** Of the frame in which something is: `iframe#task >> `. */
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
  // The end of a long path says more than its beginning.
  return text(all.length > SELECTOR ? slice(all, all.length - SELECTOR) : all, SELECTOR);
};
