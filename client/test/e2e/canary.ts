// A page with a unique word in every place that can contain text, and a search that finds a word in any encoding.
// `tests/pages/canary.json` lists for each word in which transports it must not appear, and why.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { CLIENT } from './browser';

export interface Canary {
  name: string;
  word: string;
  where: string;
  kind: 'typed' | 'set';
  forbidden: string[];
  kept: string[];
  why: string;
}

const PAGES = join(CLIENT, '../tests/pages');
export const canaries = JSON.parse(readFileSync(join(PAGES, 'canary.json'), 'utf8')) as Canary[];
const typed = canaries.filter((c) => c.kind === 'typed');

/** The page, with `recorder` inserted before its own script. */
export const canaryPage = (recorder: string): string => {
  let page = readFileSync(join(PAGES, 'canary.html'), 'utf8')
    .replace('<!--recorder-->', () => recorder)
    .replace('/*order*/[]', () => JSON.stringify(typed.map((c) => c.name)));
  for (const { name, word } of canaries) page = page.replaceAll(`{{${name}}}`, word);
  const left = /\{\{\w+\}\}/.exec(page);
  if (left) throw new Error(`${left[0]} is no canary`);
  return page;
};

/** Types each word into its field, then makes the page repeat all words. */
export const visit = async (page: Page): Promise<void> => {
  for (const { word } of typed) {
    await page.keyboard.press('F2');
    await page.keyboard.type(word);
  }
  await page.keyboard.press('F4');
  await page.waitForTimeout(1500);
};

/** All encodings of a word. */
export const spellings = (word: string): Buffer[] => {
  const known = made.get(word);
  if (known) return known;
  const ways: Buffer[] = [];
  for (const text of [word, word.toUpperCase(), word[0]!.toUpperCase() + word.slice(1), [...word].reverse().join('')]) {
    const utf8 = Buffer.from(text);
    const utf16 = Buffer.from(text, 'utf16le');
    ways.push(utf8, utf16, Buffer.from(utf16).swap16(), Buffer.from(utf8.toString('hex')), Buffer.from(utf8.toString('hex').toUpperCase()));
    ways.push(Buffer.from([...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')));
    ways.push(Buffer.from([...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')));
    ways.push(Buffer.from([...text].map((c) => `&#${c.charCodeAt(0)};`).join('')));
    // The base64 text depends on the offset modulo 3. Characters that depend on neighbouring bytes are left out.
    for (const before of ['', 'x', 'xx']) {
      const base64 = Buffer.from(before + text).toString('base64').replace(/=+$/, '');
      ways.push(Buffer.from(base64.slice(Math.ceil((before.length * 4) / 3), -1)));
    }
  }
  made.set(word, ways);
  return ways;
};
const made = new Map<string, Buffer[]>();

interface Event { stream: string; kind: string; data: Record<string, unknown> }

/** Joins texts that were recorded letter by letter: the text of each field, the keys, and the texts of each change of the page. */
export const together = (events: readonly Event[]): Buffer => {
  const said = new Map<string, string>();
  const add = (what: string, text: unknown) => {
    if (typeof text === 'string' && text.length < 500) said.set(what, (said.get(what) ?? '') + text);
  };
  const texts = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return '';
    const { textContent } = value as { textContent?: string };
    return (textContent ?? '') + Object.values(value).map(texts).join('');
  };
  events.forEach(({ stream, kind, data }, k) => {
    if (kind === 'input') for (const field of ['inserted', 'deleted']) add(`${field} ${data['target']}`, data[field]);
    if (kind === 'keydown' && String(data['key']).length === 1) {
      add(`keys ${data['target']}`, data['key']);
      add('keys', data['key']);
    }
    if (stream === 'replay') said.set(`replay ${k}`, texts(data));
  });
  return Buffer.from([...said].map(([what, text]) => `${what}: ${text}`).join('\n'));
};

export interface Found { word: Canary; where: string; around: string }

/** The set of three-byte sequences in the data. It excludes most encodings without a search. */
const grams = (bytes: Buffer): Uint8Array => {
  const there = new Uint8Array(1 << 21);
  for (let i = 0, last = 0; i < bytes.length; i++) {
    last = ((last << 8) | bytes[i]!) & 0xffffff;
    if (i >= 2) there[last >> 3]! |= 1 << (last & 7);
  }
  return there;
};
const mayHold = (there: Uint8Array, spelling: Buffer): boolean => {
  for (let i = 2; i < spelling.length; i++) {
    const gram = (spelling[i - 2]! << 16) | (spelling[i - 1]! << 8) | spelling[i]!;
    if (!(there[gram >> 3]! & (1 << (gram & 7)))) return false;
  }
  return true;
};

/** All positions in `bytes` that contain a word. */
export const search = (where: string, bytes: Buffer, words: readonly Canary[]): Found[] => {
  const found: Found[] = [];
  const there = grams(bytes);
  for (const word of words) {
    for (const spelling of spellings(word.word)) {
      const at = mayHold(there, spelling) ? bytes.indexOf(spelling) : -1;
      if (at < 0) continue;
      found.push({ word, where, around: bytes.subarray(Math.max(0, at - 60), at + 60).toString('latin1').replace(/[^\x20-\x7e]/g, '.') });
      break;
    }
  }
  return found;
};
