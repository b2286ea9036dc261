// What was captured after consent and before the server began the session.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEFORE_MS, recordable } from '../../src/transport/early';
import type { Draft } from '../../src/transport/record';

const draft = (page_ms: number): Draft => ({ stream: 'page', page_ms, rest: `"kind":"k","data":{"at":${page_ms}}` });
const gapIn = (drafts: Draft[]) => drafts.flatMap(({ page_ms, rest }) => {
  const gap = (JSON.parse(`{${rest}}`) as { gap?: { lost: number; until_ms: number } }).gap;
  return gap ? [{ page_ms, until_ms: gap.until_ms, lost: gap.lost }] : [];
});

test('what is recent is recorded as it is', () => {
  const early = [draft(1), draft(2), draft(BEFORE_MS)];
  assert.deepEqual(recordable(early, 0, BEFORE_MS + 1), early);
  assert.deepEqual(recordable([], 0, 100), []);
});

test('what the server does not accept is counted, and the document is still described', () => {
  const now_ms = BEFORE_MS + 1000;
  const out = recordable([draft(1), draft(2), draft(3), draft(1500), draft(1600)], 0, now_ms);
  assert.deepEqual(out[0], { ...draft(1), page_ms: 1000 });
  assert.deepEqual(gapIn(out), [{ page_ms: 1000, until_ms: 1000, lost: 2 }]);
  assert.deepEqual(out.slice(2), [draft(1500), draft(1600)]);
  assert.ok(out.every(({ page_ms }) => page_ms >= now_ms - BEFORE_MS));
});

test('what the page could not hold is counted too', () => {
  const out = recordable([draft(10), draft(20)], 7, 30);
  assert.deepEqual(gapIn(out), [{ page_ms: 10, until_ms: 10, lost: 7 }]);
  assert.equal(out.length, 3);
});

test('a pause that began before the session is in the session', () => {
  const paused = (page_ms: number): Draft => ({ stream: 'health', page_ms, rest: '"kind":"paused","data":{}' });
  const count = (drafts: Draft[]) => drafts.filter((d) => d.rest.includes('"paused"')).length;
  assert.deepEqual(recordable([], 0, 100, true), [paused(100)], 'paused before the page was captured');
  const noted = [draft(10), paused(20)];
  assert.deepEqual(recordable(noted, 0, 100, true), noted, 'once');
  const late = recordable([draft(1), paused(2), draft(3)], 0, BEFORE_MS + 1000, true);
  assert.equal(count(late), 1, 'the server does not accept its own time');
  assert.equal(count(recordable([draft(10)], 0, 100)), 0);
});
