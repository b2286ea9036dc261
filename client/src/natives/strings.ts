// The language's own functions about strings, captured when this file runs: see `js.ts`.

import { indexOf, method, slice } from './js';

export const normalize = method(String.prototype.normalize as (this: string, form: string) => string);
const decodePart = decodeURIComponent;
export const lastIndexOf = method(String.prototype.lastIndexOf);

/** Percent-decoded. Invalid text is returned unchanged. */
export const decoded = (part: string): string => {
  try {
    return decodePart(part);
  } catch {
    return part;
  }
};

/** Replaces each piece between any of the `dividers` with the result of `put`. */
export const pieces = (whole: string, dividers: string, put: (piece: string) => string): string => {
  let out = '';
  for (let from = 0, to = 0; to <= whole.length; to++) {
    if (to < whole.length && indexOf(dividers, whole[to]!) < 0) continue;
    out += put(slice(whole, from, to)) + slice(whole, to, to + 1);
    from = to + 1;
  }
  return out;
};
