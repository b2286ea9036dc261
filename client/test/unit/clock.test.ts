// The page's clock: for any delays, the true offset is within the uncertainty.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tick } from '../../src/capture/tick';
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

test('slow ways in different directions leave a small common range', () => {
  // The offset is 1000. The first request was slow on its way back, the second on its way there.
  const pings = [
    { sent_ms: 0, received_ms: 21, server_utc_ms: 1000.5 }, { sent_ms: 30, received_ms: 52, server_utc_ms: 1051.5 },
  ];
  const { at_ms, offset_ms, uncertainty_ms } = measure(pings, 0.1)!;
  assert.ok(Math.abs(offset_ms - 1000) <= uncertainty_ms);
  assert.ok(Math.abs(uncertainty_ms - 0.6) < 0.01, `${uncertainty_ms} ms, and the fastest request alone gives 10.6 ms`);
  assert.equal(at_ms, 52);
});

test('if a clock is set between two requests, the later ones count', () => {
  const pings = [
    { sent_ms: 0, received_ms: 2, server_utc_ms: 1001 }, { sent_ms: 10, received_ms: 14, server_utc_ms: 5012 },
    { sent_ms: 20, received_ms: 26, server_utc_ms: 5023 },
  ];
  const reading = measure(pings, 0)!;
  assert.deepEqual([reading.at_ms, reading.offset_ms], [26, 5000]);
  assert.ok(Math.abs(reading.uncertainty_ms - 2) < 0.01);
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

/** A clock of this resolution. Reading it takes `read_ms`. Before some readings the computer does other work for a while. */
const clockOf = (resolution_ms: number, read_ms: number, pauses_ms: Record<number, number>) => {
  let at_ms = 0;
  let readings = 0;
  return () => {
    at_ms += read_ms + (pauses_ms[readings++] ?? 0);
    return Math.floor(at_ms / resolution_ms) * resolution_ms;
  };
};

test('the resolution of a clock is right, also if the computer pauses while it is measured', () => {
  const measured = (...clock: Parameters<typeof clockOf>) => Math.round(tick(clockOf(...clock)) * 1000) / 1000;
  assert.equal(measured(0.1, 0.01, {}), 0.1);
  assert.equal(measured(0.1, 0.01, { 3: 23.5 }), 0.1, 'a pause in the first step');
  assert.equal(measured(0.1, 0.01, { 3: 23.5, 5: 7.5 }), 0.1, 'two pauses');
  assert.equal(measured(1, 0.01, { 3: 23.5 }), 1);
  assert.equal(measured(16.67, 0.5, {}), 16.67);
  assert.equal(measured(100, 0.5, {}), 100, 'a browser that hides its resolution');
});
