// Text that the participant entered and that may not be kept. It is stored in this document's memory only, and is found
// where the page repeats it. Compared without capitals, accents and punctuation.

import { charCodeAt, indexOf, lowerCase, slice, trim } from '../natives/js';
import { normalize, pieces } from '../natives/strings';

/** Only the newest words are stored. */
const MAX_WORDS = 500;
/** Of each value, this many characters at its beginning and at its end are read. */
const MAX_READ_CHARS = 1000;
/** Texts that the page contained before anything was typed. */
const MAX_PAGE_TEXTS = 4000;
/** Values up to this length are also stored as a whole, even if their words are short. */
const MAX_PHRASE_CHARS = 40;
/** From this length on, a word is stored by itself, and found within other words. */
const MIN_WORD_CHARS = 4;
/** From this length on, a word is also found if spaces divide its letters. */
const MIN_SPELLED_CHARS = 6;
// Common words in five languages. They are not personal, and without this list they would hide much of the page's text.
const COMMON = ' the and you are for not but was his her has had its our out who how all any can did i it is a an am to of in on my me '
  + 'we he no so do be at by or if as up us der die das und ist ein mit von den dem des sie wir ihr ich les est une que qui pas sur '
  + 'par son los las del con por non che gli that this with from have they what your about there their would which when will been were into then them '
  + 'than some could other after also because very just like more only over such make much dass nicht eine einen auch wenn '
  + 'sich oder aber mein dein sein haben noch nach pour dans avec mais plus cette vous nous tout para como pero esta este '
  + 'todo porque della sono come anche quello questo ';

/** Lower-case letters, digits and single spaces. */
export const fold = (value: string): string => {
  const s = normalize(lowerCase(value), 'NFKD');
  let out = '';
  let gap = '';
  for (let i = 0; i < s.length; i++) {
    const c = charCodeAt(s, i);
    // Accents and invisible characters do not divide words.
    if (c >= 0x300 && c < 0x370 || c === 0xad || c >= 0x200b && c < 0x2010 || c === 0x2060 || c === 0xfeff) continue;
    if (c >= 48 && c < 58 || c >= 97 && c < 123 || c >= 0xc0 && (c < 0x2000 || c >= 0x2c00) && (c < 0x3000 || c >= 0x3040)) {
      out += gap + (c === 0xdf ? 'ss' : s[i]);
      gap = '';
    } else if (out) {
      gap = ' ';
    }
  }
  return out;
};

export const squeezed = (folded: string): string => {
  let out = '';
  pieces(folded, ' ', (word) => out += word);
  return out;
};

const isNumber = (word: string): boolean => {
  for (let i = 0; i < word.length; i++) if (word[i]! > '9') return false;
  return true;
};
/** Also true for the beginning of a common word, which may still be typed. */
const isCommon = (word: string): boolean => indexOf(COMMON, ' ' + word + (word.length < MIN_WORD_CHARS ? ' ' : '')) >= 0;
/** In scripts without spaces two characters are a word, for example a name. */
const isDense = (word: string): boolean => word.length > 1 && charCodeAt(word, 0) >= 0x2e80;

export interface PrivateWords {
  /** `isSecret`: stores common words too. */
  learn(value: string, isSecret: boolean): void;
  /** Stores a private value of the page as a whole. */
  learnWhole(value: string): void;
  /** A key press at an element without a readable value. `isElsewhere`: at another element than the key before. */
  learnKey(key: string, isElsewhere: boolean): void;
  /** Stores a text that the page contained before it could have been typed. */
  addPageText(text: string): void;
  /** Whether a text repeats what may not be kept. */
  reveals(text: string): boolean;
  /** Whether a text is a part of a stored word. The text around it may contain the other parts. */
  isPartOfWord(text: string): boolean;
}

export const privateWords = (): PrivateWords => {
  const known = { __proto__: null } as unknown as Record<number, string>;
  let first = 0;
  let end = 0;
  /** All stored words, each between spaces. */
  let joined = ' ';
  const pageTexts = { __proto__: null } as unknown as Record<string, true>;
  let pageTextCount = 0;
  let keys = '';

  const add = (word: string) => {
    if (!word || indexOf(joined, ' ' + word + ' ') >= 0) return;
    // The newest word may be the beginning of this one, which is still being typed.
    const last = known[end - 1];
    if (!last || indexOf(word, last) !== 0 || indexOf(word, ' ') < 0 !== indexOf(last, ' ') < 0) end++;
    known[end - 1] = word;
    if (end - first > MAX_WORDS) delete known[first++];
    joined = ' ';
    for (let i = first; i < end; i++) joined += known[i] + ' ';
  };
  const learn = (value: string, isSecret: boolean) => {
    const folded = fold(value.length <= 2 * MAX_READ_CHARS ? value
      : slice(value, 0, MAX_READ_CHARS) + ' ' + slice(value, value.length - MAX_READ_CHARS));
    let hasPrivateWord = isSecret;
    pieces(folded, ' ', (word) => {
      hasPrivateWord ||= !isCommon(word);
      if (word.length >= MIN_WORD_CHARS ? isSecret || !isCommon(word) : isDense(word) || word.length > 2 && (isSecret || isNumber(word))) add(word);
      return '';
    });
    if (folded.length <= MAX_PHRASE_CHARS && hasPrivateWord) {
      add(folded);
      // The number of a card can be typed in groups and shown without spaces, or the other way round.
      const whole = squeezed(folded);
      if (isSecret || isNumber(whole)) add(whole);
    }
  };
  const has = (text: string): boolean => {
    const folded = end > first ? fold(slice(text, 0, 20_000)) : '';
    if (!folded) return false;
    const around = ' ' + folded + ' ';
    const spelled = squeezed(folded);
    for (let i = first; i < end; i++) {
      const word = known[i]!;
      if (word.length < 3 ? folded === word || isDense(word) && indexOf(around, word) >= 0
        : indexOf(around, word.length < MIN_WORD_CHARS ? ' ' + word + ' ' : word) >= 0
        || word.length >= (isNumber(word) ? MIN_WORD_CHARS : MIN_SPELLED_CHARS) && indexOf(spelled, word) >= 0) return true;
    }
    // Also the beginning of a stored word, and a part of a number.
    let found = false;
    pieces(folded, ' ', (word) => {
      found ||= word.length >= MIN_WORD_CHARS && !isCommon(word) && indexOf(joined, isNumber(word) ? word : ' ' + word) >= 0;
      return '';
    });
    return found;
  };
  return {
    __proto__: null,
    learn,
    learnWhole: (value: string) => {
      const whole = squeezed(fold(slice(value, 0, 200)));
      if (whole.length >= MIN_SPELLED_CHARS) add(whole);
    },
    learnKey: (key: string, isElsewhere: boolean) => {
      if (isElsewhere || key === 'Enter') keys = '';
      if (key.length > 2 && key !== 'Backspace') return;
      keys = key.length > 2 ? slice(keys, 0, keys.length - 1) : slice(keys, keys.length - MAX_PHRASE_CHARS + 1 > 0 ? 20 : 0) + key;
      learn(keys, false);
    },
    addPageText: (text: string) => {
      const plain = trim(text);
      if (pageTextCount >= MAX_PAGE_TEXTS || !plain || plain.length > 300 || pageTexts[plain] || has(plain)) return;
      pageTexts[plain] = true;
      pageTextCount++;
    },
    reveals: (text: string) => has(text) && !pageTexts[trim(text)],
    isPartOfWord: (text: string) => {
      const folded = fold(text);
      return folded !== '' && folded.length <= MIN_WORD_CHARS && indexOf(joined, folded) >= 0;
    },
  } as unknown as PrivateWords;
};

/** Replaces every character except spaces with a star. */
export const starred = (text: string): string => pieces(text, ' \t\r\n\f\u00a0', (word) => {
  let stars = '';
  while (stars.length < word.length) stars += '*';
  return stars;
});
