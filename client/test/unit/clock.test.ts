// The page's clock: for any delays, the true offset is within the uncertainty.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { better, measure } from '../../src/transport/clock';

test('the error is never larger than it says', () => {
  const truth = 1_763_900_000_000;
  for (let round = 0; round < 5000; round++) {
    const pings = Array.from({ length: 1 + round % 5 }, (_, i) => {
      const sent_ms = i * 50;
      const there = Math.random() ** 4 * 40;
      const back = Math.random() ** 4 * 40;
      return { sent_ms, received_ms: sent_ms + there + back, server_utc_ms: truth + sent_ms + there };
    });
    const reading = measure(pings, 0.1)!;
    assert.ok(Math.abs(reading.offset_ms - truth) <= reading.uncertainty_ms);
  }
  assert.equal(measure([], 0), null);
});

test('a worse reading waits until the old one has aged', () => {
  const old = { at_ms: 0, offset_ms: 1, uncertainty_ms: 1 };
  assert.equal(better(old, { at_ms: 10_000, offset_ms: 2, uncertainty_ms: 1.6 }), old);
  const fresh = { at_ms: 20_000, offset_ms: 2, uncertainty_ms: 1.6 };
  assert.equal(better(old, fresh), fresh);
  assert.equal(better(null, fresh), fresh);
});

test('after a sleep the fresh reading counts, although it is less exact', () => {
  const old = { at_ms: 5_000, offset_ms: 0, uncertainty_ms: 0.4 };
  const fresh = { at_ms: 9_000, offset_ms: 20_070, uncertainty_ms: 35 };
  assert.equal(better(old, fresh), fresh);
  // The clock may also have been ahead.
  assert.equal(better(fresh, { ...old, at_ms: 12_000, uncertainty_ms: 90 }).offset_ms, 0);
  // Just inside and outside the two errors and the drift of 4 s.
  const limit_ms = 0.4 + 35 + 0.2;
  assert.equal(better(old, { ...fresh, offset_ms: limit_ms - 0.01 }), old);
  assert.notEqual(better(old, { ...fresh, offset_ms: limit_ms + 0.01 }), old);
});
