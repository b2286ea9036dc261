// Strings as the parser accepts them, and the difference that an edit made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, withAddresses, difference, text } from '../../src/capture/text';

test('a text is cut and holds no half of a pair', () => {
  assert.equal(text('hello', 3), 'hel');
  assert.equal(text('a\ud800b', 9), 'a\ufffdb');
  assert.equal(text('😀', 1), '\ufffd');
  assert.equal(text('😀😀', 2), '😀');
  assert.equal(text(undefined, 20), 'undefined');
});

test('an address has nothing that was put there for one person', () => {
  for (const [url, told] of [
    ['https://a.example/b?pw=1#top', 'https://a.example/b'],
    ['https://a.example/#token=1', 'https://a.example/'],
    ['https://a.example/#/basket?key=1', 'https://a.example/#/basket'],
    ['https://a.example/#/reset/4f9c1d7e8a2b4c6d8e0f1a2b', 'https://a.example/#/reset/***'],
    ['https://a.example/#secret', 'https://a.example/'],
    ['https://jane:secret@a.example/b', 'https://a.example/b'],
    ['https://a.example/reset/4f9c1d7e8a2b4c6d8e0f1a2b/x', 'https://a.example/reset/***/x'],
    ['https://a.example/u/jane%40c.de', 'https://a.example/u/***'],
    ['https://a.example/u/3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'https://a.example/u/***'],
    ['https://a.example/token=abc/d;jsessionid=1', 'https://a.example/***/***'],
    ['https://a.example/d;session', 'https://a.example/d'],
    ['https://a.example/10-best-ways-to-sleep-2023/main.4f9c1d7e8a2b4c6d8e0f.js', 'https://a.example/10-best-ways-to-sleep-2023/main.4f9c1d7e8a2b4c6d8e0f.js'],
    ['study://localhost/two%20words.html?x', 'study://localhost/two%20words.html'],
    ['data:text/html,secret', 'data:'], ['mailto:jane@c.de', 'mailto:'], ['javascript:say(1)', 'javascript:'],
    ['file:///home/jane/x', 'file:'], ['blob:https://a.example/secret', 'blob:'], ['about:blank', 'about:blank'],
    ['img/a.png?key=1', 'img/a.png'], ['', ''],
  ] as const) {
    assert.equal(address(url), told, url);
    assert.equal(address(told), told, 'the address is unchanged');
  }
  assert.equal(withAddresses("cannot load 'https://a.example/b?key=1': refused (see data:x;secret)"),
    "cannot load 'https://a.example/b': refused (see data:)");
});

test('every edit is undone by its own difference', () => {
  const letters = 'aab';
  let seed = 7;
  const random = (n: number) => { seed = (seed * 16807) % 2147483647; return seed % n; };
  const word = (n: number) => Array.from({ length: n }, () => letters[random(3)]).join('');
  for (let round = 0; round < 20_000; round++) {
    const old = word(random(8));
    const at = random(old.length + 1);
    const removed = random(old.length - at + 1);
    const inserted = word(random(4));
    const fresh = old.slice(0, at) + inserted + old.slice(at + removed);
    for (const caret of [undefined, at + inserted.length]) {
      const d = difference(old, fresh, caret);
      assert.equal(old.slice(0, d.at) + d.inserted + old.slice(d.at + d.deleted.length), fresh);
      assert.equal(old.slice(d.at, d.at + d.deleted.length), d.deleted);
    }
  }
});

test('an edit of a letter of two units is that letter', () => {
  assert.deepEqual({ ...difference('a😀b', 'a😁b', undefined) }, { at: 1, deleted: '😀', inserted: '😁' });
  assert.deepEqual({ ...difference('a😀b', 'a🤀b', 3) }, { at: 1, deleted: '😀', inserted: '🤀' });
});

/** The reference: compares one code unit at a time. */
const slowly = (old: string, fresh: string, caret: number | undefined) => {
  const shorter = Math.min(old.length, fresh.length);
  const most = caret === undefined ? 0 : Math.min(fresh.length - caret, shorter);
  let after = 0;
  let before = 0;
  const isSame = () => old.charCodeAt(old.length - 1 - after) === fresh.charCodeAt(fresh.length - 1 - after);
  while (after < most && isSame()) after++;
  while (before < shorter - after && old.charCodeAt(before) === fresh.charCodeAt(before)) before++;
  while (after < shorter - before && isSame()) after++;
  return { at: before, deleted: old.slice(before, old.length - after), inserted: fresh.slice(before, fresh.length - after) };
};

test('in a million letters the same is found as one by one, and not later', () => {
  const million = Array.from({ length: 1_000_000 }, (_, k) => String.fromCharCode(97 + (k * k + (k >> 3)) % 26)).join('');
  const edits: [string, string, number | undefined][] = [
    ['', million, 1_000_000], [million, '', 0], [million, million + 'x', 1_000_001], [million, 'x' + million, 1],
    [million, million.slice(0, 5e5) + 'x' + million.slice(5e5), 500_001], [million, million.slice(0, 9e5), 900_000],
    [million, million.slice(0, 100) + million + million.slice(100), 1_000_100], ['a'.repeat(1e6), 'a'.repeat(999_999), 7],
    [million, million.slice(0, 3e5) + 'Y' + million.slice(300_001), undefined],
  ];
  let ours_ms = 0;
  let theirs_ms = 0;
  for (const [old, fresh, caret] of edits) {
    const start = performance.now();
    const found = difference(old, fresh, caret);
    const middle = performance.now();
    assert.deepEqual({ ...found }, slowly(old, fresh, caret));
    ours_ms += middle - start;
    theirs_ms += performance.now() - middle;
  }
  console.log(`${edits.length} edits of 1 MB: ${ours_ms.toFixed(1)} ms; the reference, letter by letter: ${theirs_ms.toFixed(1)} ms`);
});

test('the caret says which of equal letters went', () => {
  assert.deepEqual({ ...difference('hello', 'helo', 2) }, { at: 2, deleted: 'l', inserted: '' });
  assert.deepEqual({ ...difference('aaa', 'aaaa', 1) }, { at: 0, deleted: '', inserted: 'a' });
});
