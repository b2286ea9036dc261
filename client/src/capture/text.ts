// Strings as the one parser (`src/page/message.rs`) takes them.

import { charCodeAt, codeToString, indexOf, slice, toText } from '../natives/js';

const URL_LENGTH = 1000;

/** At most `limit` UTF-16 units, and no half of a surrogate pair. */
export const text = (value: unknown, limit: number): string => {
  const s = slice(toText(value), 0, limit);
  let clean = '';
  let from = 0;
  for (let i = 0; i < s.length; i++) {
    const c = charCodeAt(s, i);
    if (c < 0xd800 || c > 0xdfff) continue;
    const next = c < 0xdc00 && i + 1 < s.length ? charCodeAt(s, i + 1) : 0;
    if (next >= 0xdc00 && next <= 0xdfff) {
      i++;
    } else {
      clean += slice(s, from, i) + codeToString(0xfffd);
      from = i + 1;
    }
  }
  return clean + slice(s, from);
};

/** A form sent by GET puts what was typed, a password too, into the query; some services put keys into the hash. */
export const address = (url: unknown): string => {
  let s = toText(url);
  if (slice(s, 0, 5) === 'data:') return 'data:';
  const hash = indexOf(s, '#');
  const tail = hash >= 0 && indexOf(slice(s, hash), '=') < 0 ? slice(s, hash) : '';
  if (hash >= 0) s = slice(s, 0, hash);
  const query = indexOf(s, '?');
  if (query >= 0) s = slice(s, 0, query);
  return text(s + tail, URL_LENGTH);
};

export interface Difference {
  /** UTF-16 units before the change. */
  at: number;
  deleted: string;
  inserted: string;
}

/** How many units two texts have in common from their beginnings on, at most `most`: halved until the place is found, so that
 * the browser compares whole pieces. `isFromEnd`: backwards from their ends. */
const common = (old: string, fresh: string, most: number, isFromEnd: boolean): number => {
  let same = 0;
  for (let piece = most; piece > 0;) {
    if (piece > most - same) piece = most - same;
    if (piece === 0) break;
    const until = same + piece;
    const isSame = isFromEnd
      ? slice(old, old.length - until, old.length - same) === slice(fresh, fresh.length - until, fresh.length - same)
      : slice(old, same, until) === slice(fresh, same, until);
    if (isSame) same = until;
    else piece >>= 1;
  }
  return same;
};

const isHalf = (s: string, k: number, first: number): boolean => {
  const unit = charCodeAt(s, k);
  return unit >= first && unit < first + 0x400;
};

/** The one change that turns `old` into `fresh`, placed where the caret says it was. */
export const difference = (old: string, fresh: string, caret: number | undefined): Difference => {
  const shorter = old.length < fresh.length ? old.length : fresh.length;
  const mostAfter = caret === undefined || fresh.length - caret > shorter ? shorter : fresh.length - caret;
  let after = caret === undefined ? 0 : common(old, fresh, mostAfter, true);
  let before = common(old, fresh, shorter - after, false);
  if (caret === undefined || after === mostAfter) after = common(old, fresh, shorter - before, true);
  // One letter of two units is never half the same.
  if (before > 0 && isHalf(old, before - 1, 0xd800)) before--;
  if (after > 0 && isHalf(old, old.length - after, 0xdc00)) after--;
  return {
    __proto__: null,
    at: before,
    deleted: slice(old, before, old.length - after),
    inserted: slice(fresh, before, fresh.length - after),
  } as Difference;
};
