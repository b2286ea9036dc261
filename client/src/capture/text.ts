// Strings as the program's parser of page messages accepts them.

import { charCodeAt, codeToString, indexOf, lowerCase, slice, toText } from '../natives/js';
import { decoded, lastIndexOf, pieces } from '../natives/strings';

const URL_LENGTH = 1000;

/** At most `limit` UTF-16 units. A surrogate pair is not split. */
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

/** For addresses of other schemes, only the scheme is kept. */
const SCHEMES = ',http,https,ws,wss,study,fixation,host,';
/** A row of at least so many letters and digits, with a digit among them, is taken as a personal key. */
const KEY_LENGTH = 20;
const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** Whether a part of a path is a key or a mail address. */
const isPersonal = (part: string): boolean => {
  const plain = lowerCase(decoded(part));
  if (indexOf(plain, '=') >= 0 || indexOf(plain, '&') >= 0 || indexOf(plain, '@') > 0) return true;
  const dot = lastIndexOf(plain, '.');
  if (dot > 0 && plain.length - dot <= 6) return false; // file names can be checksums
  let run = 0;
  let digits = 0;
  let hex = 0;
  for (let i = 0; i < plain.length; i++) {
    const c = charCodeAt(plain, i);
    const isLetter = c >= 97 && c <= 122;
    run = isDigit(c) || isLetter ? run + 1 : 0;
    digits = isDigit(c) ? digits + 1 : run && digits;
    hex = isDigit(c) || isLetter && c <= 102 ? hex + 1 : c === 45 ? hex : 0;
    if (run >= KEY_LENGTH && digits || hex >= 32) return true;
  }
  return false;
};

/** The path with personal parts replaced. */
const path = (s: string): string => pieces(s, '/', (part) => {
  const more = indexOf(part, ';');
  return isPersonal(part) ? '***' : more < 0 ? part : slice(part, 0, more);
});
const before = (s: string, end: string): string => {
  const at = indexOf(s, end);
  return at < 0 ? s : slice(s, 0, at);
};

/**
 * An address without personal parts. A form sent by GET puts typed text and passwords into the query, and services put keys
 * into query, hash and path. A hash is kept if it is a route of the page, such as `#/basket`.
 */
export const address = (url: unknown): string => {
  const whole = toText(url);
  let s = before(before(whole, '#'), '?');
  const hash = slice(whole, before(whole, '#').length);
  const tail = slice(hash, 1, 2) === '/' || slice(hash, 1, 3) === '!/' ? before(hash, '?') : '';
  const scheme = before(s, ':');
  const hasScheme = scheme.length < s.length && indexOf(scheme, '/') < 0;
  if (hasScheme && indexOf(SCHEMES, ',' + lowerCase(scheme) + ',') < 0) {
    return s === 'about:blank' || s === 'about:srcdoc' ? s : text(lowerCase(scheme), 20) + ':';
  }
  let head = hasScheme ? scheme + ':' : '';
  s = slice(s, head.length);
  if (slice(s, 0, 2) === '//') {
    // The host without a name and password before it.
    const host = before(slice(s, 2), '/');
    head += '//' + slice(host, lastIndexOf(host, '@') + 1);
    s = slice(s, 2 + host.length);
  }
  return text(head + path(s) + path(tail), URL_LENGTH);
};

/** A text, such as a browser's error message, with every address in it shortened in the same way. */
export const withAddresses = (message: string): string => pieces(message, ' \t\r\n"\'`()<>,', (word) => (
  indexOf(word, '://') >= 0 || indexOf(word, '?') >= 0 && indexOf(word, '=') >= 0 || indexOf(word, 'data:') === 0
    ? address(word) : word));

export interface Difference {
  /** UTF-16 units before the change. */
  at: number;
  deleted: string;
  inserted: string;
}

/** The length of the common beginning of two texts, at most `most`; with `isFromEnd`, of their common end. A binary search,
 * so that the browser compares whole strings. */
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

/** The single change from `old` to `fresh`. The caret decides between equal positions. */
export const difference = (old: string, fresh: string, caret: number | undefined): Difference => {
  const shorter = old.length < fresh.length ? old.length : fresh.length;
  const mostAfter = caret === undefined || fresh.length - caret > shorter ? shorter : fresh.length - caret;
  let after = caret === undefined ? 0 : common(old, fresh, mostAfter, true);
  let before = common(old, fresh, shorter - after, false);
  if (caret === undefined || after === mostAfter) after = common(old, fresh, shorter - before, true);
  // A surrogate pair is not split.
  if (before > 0 && isHalf(old, before - 1, 0xd800)) before--;
  if (after > 0 && isHalf(old, old.length - after, 0xdc00)) after--;
  return {
    __proto__: null,
    at: before,
    deleted: slice(old, before, old.length - after),
    inserted: slice(fresh, before, fresh.length - after),
  } as Difference;
};
