// Strings as the parser takes them, and what an edit changed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, difference, text } from '../../src/capture/text';

test('a text is cut and holds no half of a pair', () => {
  assert.equal(text('hello', 3), 'hel');
  assert.equal(text('a\ud800b', 9), 'a\ufffdb');
  assert.equal(text('😀', 1), '\ufffd');
  assert.equal(text('😀😀', 2), '😀');
  assert.equal(text(undefined, 20), 'undefined');
});

test('an address has no query and no key', () => {
  assert.equal(address('https://a.example/b?pw=1#top'), 'https://a.example/b#top');
  assert.equal(address('https://a.example/#token=1'), 'https://a.example/');
  assert.equal(address('data:text/html,secret'), 'data:');
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

test('the caret says which of equal letters went', () => {
  assert.deepEqual({ ...difference('hello', 'helo', 2) }, { at: 2, deleted: 'l', inserted: '' });
  assert.deepEqual({ ...difference('aaa', 'aaaa', 1) }, { at: 0, deleted: '', inserted: 'a' });
});
