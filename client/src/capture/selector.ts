// Where something happened: the shortest path that a person would write.

import { stringify, slice } from '../natives/js';
import {
  ShadowRoot, attribute, cssEscape, here, hostOf, idOf, isElement, nameOf, parentOf, pathOf, previousOf, targetOf,
} from '../natives/dom';
import { text } from './text';

const SELECTOR = 256;

/** The innermost node: open shadow roots are looked into. */
export const deep = (event: Event): EventTarget | null => {
  const path = pathOf(event);
  return path.length > 0 ? path[0]! : targetOf(event);
};

export const up = (node: Node): Node | null => {
  const parent = parentOf(node);
  return parent instanceof ShadowRoot ? hostOf(parent) : parent;
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

export const selector = (node: unknown): string => {
  if (node === here) return 'window';
  if (!isElement(node)) return 'document';
  let path = '';
  for (let e: Node | null = node; isElement(e); e = up(e)) {
    const s = step(e);
    path = path ? s + ' > ' + path : s;
    if (idOf(e) || attribute(e, 'data-testid') || nameOf(e) === 'body') break;
  }
  // The end of a long path says more than its beginning.
  return text(path.length > SELECTOR ? slice(path, path.length - SELECTOR) : path, SELECTOR);
};
