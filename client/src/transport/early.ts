// Records that were captured after consent and before the server began the session.

import { startsWith } from '../natives/js';
import { found, kept } from '../natives/lists';
import { type Draft, eventRest, gapRest } from './record';

/** The server accepts records of the minute before a session begins. Ten seconds are left for the request. */
export const BEFORE_MS = 50_000;

const isPause = ({ stream, rest }: Draft): boolean => stream === 'health' && startsWith(rest, '"kind":"paused"');

/** What can be recorded of them at `now_ms`, when the session begins. `lost` counts records that are not in `early`. The first
 * record describes the document. If it is too early, the document is recorded from the first moment that can be recorded. `isPaused`: the recording is paused,
 * and the session does not contain it yet. */
export const recordable = (early: readonly Draft[], lost: number, now_ms: number, isPaused = false): Draft[] => {
  const from_ms = now_ms - BEFORE_MS;
  const late = kept(early, ({ page_ms }) => page_ms >= from_ms);
  const head = kept(early, ({ page_ms }, k) => k === 0 && page_ms < from_ms);
  const missing = lost + early.length - late.length - head.length;
  const at_ms = head[0] ? from_ms : late[0]?.page_ms ?? now_ms;
  const gap = { until_ms: at_ms, reason: 'queue_full', lost: missing, note: 'more than 50 s before the session began, too many for the page to hold, or captured by other rules of the study' };
  const isPauseMissing = isPaused && !found([...head, ...late], isPause);
  return [
    ...(head[0] ? [{ ...head[0], page_ms: at_ms }] : []),
    ...(missing > 0 ? [{ stream: 'page', page_ms: at_ms, rest: gapRest(gap) }] : []),
    ...late,
    ...(isPauseMissing ? [{ stream: 'health', page_ms: late[late.length - 1]?.page_ms ?? at_ms, rest: eventRest('paused', '{}') }] : []),
  ];
};
