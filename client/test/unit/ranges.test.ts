// The dashboard's shades of gaps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
// @ts-expect-error: the dashboard is plain JavaScript
import { joined } from '../../dashboard/ranges.js';

test('each place is shaded once, and close gaps are one', () => {
  assert.deepEqual(joined([], 2), []);
  assert.deepEqual(joined([[50, 60], [0, 0], [0, 0], [0, 0]], 2), [[0, 2], [50, 60]]);
  assert.deepEqual(joined([[0, 10], [2, 4], [11.5, 12]], 2), [[0, 13.5]]);
  // A skipped frame between every two scored ones, at a pixel each.
  const skipped = Array.from({ length: 1000 }, (_, k) => [2 * k, 2 * k + 1]);
  assert.equal(joined(skipped, 2).length, 1);
});
