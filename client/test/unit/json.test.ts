// Marks as JSON: the same text as `JSON.stringify` writes in a page whose libraries have not changed it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markJson } from '../../src/capture/json';

class Point { constructor(readonly x: number, readonly y: number) {} }
class Money { constructor(readonly cents: number) {} toJSON() { return `${this.cents} ct`; } }

const PLAIN: unknown[] = [
  7, -0, NaN, Infinity, '', 'sea', 'ä😀', true, null, undefined, [], {}, [[]], [1, [2, { three: [3] }]], { a: 1, b: { c: [null] } },
  [undefined, () => 1, Symbol('s')], { a: undefined, b: () => 1, c: Symbol('s') }, new Date(0), [new Date(1e12)], new Date(NaN),
  new String('boxed'), new Number(3), new Boolean(false), new Point(1, 2), new Money(250), { toJSON: () => ['own'] },
  new Map([[1, 2]]), new Set([1]), /x/, new Error('x'), Object.create(null), Object.assign(Object.create(null), { k: 'v' }),
  new Uint8Array([1, 2]), [, 1], Object.assign([1], { extra: 2 }), { 'a"b': 'c\nd' }, { __proto__: { inherited: 1 }, own: 2 },
  { get computed() { return 5; } }, { nested: { toJSON(key: string) { return `of ${key}`; } } },
];

test('what is said is written as JSON.stringify writes it', () => {
  for (const data of PLAIN) assert.equal(markJson(data), JSON.stringify(data));
});

test('an old library that gives everything a toJSON changes nothing', () => {
  const expected = PLAIN.map((data) => JSON.stringify(data));
  const prototypes = [Array, Object, String, Number, Boolean, Date].map((c) => c.prototype as unknown as Record<string, unknown>);
  const dates = Object.getOwnPropertyDescriptor(Date.prototype, 'toJSON')!;
  for (const prototype of prototypes) {
    Object.defineProperty(prototype, 'toJSON', {
      configurable: true, writable: true, value(this: unknown) { return `"${String(this)}"`; },
    });
  }
  let written: (string | undefined)[];
  try {
    written = PLAIN.map((data) => markJson(data));
  } finally {
    for (const prototype of prototypes) delete prototype['toJSON'];
    Object.defineProperty(Date.prototype, 'toJSON', dates);
  }
  assert.deepEqual(written, expected);
});

test('what cannot be written is refused and never hangs', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const ring: unknown[] = [];
  ring.push([ring]);
  for (const bad of [
    circular, ring, 10n, { n: 10n }, 'x'.repeat(4000).split('').map(() => 'y'.repeat(100)),
    { get a(): number { throw new Error('no'); } }, { toJSON() { throw new Error('no'); } },
    new Proxy({}, { ownKeys() { throw new Error('no'); } }), { toJSON: () => circular },
  ]) assert.throws(() => markJson(bad));
  assert.equal(markJson('x'.repeat(100_000))!.length, 4002, 'a long text is truncated');
  assert.equal(JSON.parse(markJson({ a: '\ud800' })!).a, '\ufffd');
});
