// The visible text of an editable element, with line breaks. `textContent` has no line breaks, and `innerText` computes the
// layout of the page at each call.

import { indexOf, slice } from '../natives/js';
import { dataOf, firstOf, isElement, isText, nameOf, nextOf, styleOf, styleValue } from '../natives/dom';

/** A place in the document, and where that is in the text; -1 where it is not in it. */
export interface Point { __proto__: null; node: Node; offset: number; at: number }

export const point = (node: Node, offset: number): Point => ({ __proto__: null, node, offset, at: -1 });

const BLOCKS = ',address,article,aside,blockquote,center,dd,details,dialog,dir,div,dl,dt,fieldset,figcaption,figure,footer,'
  + 'form,h1,h2,h3,h4,h5,h6,header,hr,legend,li,listing,main,menu,nav,ol,p,pre,search,section,summary,table,tr,ul,xmp,';

/** `s` with each `what` (one unit long) as `by`. */
const swap = (s: string, what: string, by: string): string => {
  let from = 0;
  let out = '';
  for (let k = indexOf(s, what); k >= 0; k = indexOf(s, what, from)) {
    out += slice(s, from, k) + by;
    from = k + 1;
  }
  return from ? out + slice(s, from) : s;
};

/** The text of an editable element. Sets the offset of each of `points` in that text. */
export const editableText = (host: Element, ...points: (Point | undefined)[]): string => {
  const space = styleValue(styleOf(host), 'white-space');
  const keepsBreaks = slice(space, 0, 3) === 'pre' || space === 'break-spaces';
  let out = '';
  // A line has ended. That is seen as soon as anything comes after it, were it another end: the last one of a block
  // only holds its line open.
  let isDue = false;
  const flush = () => {
    if (isDue) out += '\n';
    isDue = false;
  };
  const here = () => out.length + (isDue ? 1 : 0);
  const pass = (node: Node, offset: number, at: number) => {
    for (let k = 0; k < points.length; k++) {
      const p = points[k];
      if (p && p.node === node && p.offset === offset && p.at < 0) p.at = at;
    }
  };
  const passText = (node: Node, length: number) => {
    for (let k = 0; k < points.length; k++) {
      const p = points[k];
      if (p && p.node === node) p.at = here() + (p.offset < length ? p.offset : length);
    }
  };
  const write = (node: Text) => {
    const data = dataOf(node);
    passText(node, data.length);
    let from = 0;
    for (let k = keepsBreaks ? indexOf(data, '\n') : -1; k >= 0; k = indexOf(data, '\n', from)) {
      flush();
      out += slice(data, from, k);
      isDue = true;
      from = k + 1;
    }
    if (from === data.length) return;
    flush();
    out += keepsBreaks ? slice(data, from) : swap(slice(data, from), '\n', ' ');
  };
  const walk = (element: Element) => {
    const isBlock = element !== host && indexOf(BLOCKS, ',' + nameOf(element) + ',') >= 0;
    if (isBlock && out !== '') isDue = true;
    let k = 0;
    for (let node = firstOf(element); node; node = nextOf(node)) {
      pass(element, k++, here());
      if (isText(node)) {
        write(node);
      } else if (isElement(node) && nameOf(node) === 'br') {
        pass(node, 0, here());
        flush();
        isDue = true;
      } else if (isElement(node)) {
        walk(node);
      }
    }
    pass(element, k, here());
    if (isBlock && out !== '') isDue = true;
  };
  walk(host);
  // Editors write a no-break space where a normal space would not be visible.
  out = swap(out, '\u00a0', ' ');
  for (let k = 0; k < points.length; k++) {
    const p = points[k];
    if (p && p.at > out.length) p.at = out.length;
  }
  return out;
};
