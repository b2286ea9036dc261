// Blocks of the main thread. The page does not react during a block, and key presses wait until its end.

import { now, page, type LongTask } from '../natives/dom';
import type { Body, Emit } from './emit';
import { eventTime } from './event-time';

/** People do not notice shorter blocks, and browsers tell no shorter ones either. */
const MIN_BLOCK_MS = 50;
/** So many are told at once, and after that one in a while; others are told together. */
const BURST = 10;
const REPORT_INTERVAL_MS = 1000;
/** A longer pause means that the computer slept. */
const MAX_BLOCK_MS = 600_000;

export interface Busy {
  /** Whether the browser measures blocks. */
  isMeasured: boolean;
  poll(t: number): void;
  /** The page was hidden or frozen meanwhile: a late beat means nothing. */
  paused(): void;
  stop(): void;
}

/** `watch` begins to tell of blocks, or gives back `undefined` where the browser measures none: then they are seen by
 * beats that come late. */
export const busy = (
  emit: Emit, watch: (report: (task: LongTask) => void) => (() => void) | undefined, poll_ms: number,
): Busy => {
  let start = 0;
  let longest = 0;
  let sum = 0;
  let count = 0;
  let credit = BURST;
  let credited = now();
  let last = now();
  let wasHidden = true;

  const report = () => {
    if (count === 0) return;
    const body: Body = { __proto__: null, length_ms: longest, is_measured: ends !== undefined || undefined };
    if (count > 1) {
      body.count = count;
      body.total_ms = sum;
    }
    const at = eventTime();
    at.t = start;
    emit.now('c', 'busy', at, body);
    count = longest = sum = 0;
  };
  const block = (task: LongTask) => {
    const { start_ms, length_ms } = task;
    if (length_ms < MIN_BLOCK_MS || length_ms > MAX_BLOCK_MS) return;
    if (count === 0) start = start_ms;
    if (length_ms > longest) longest = length_ms;
    sum += length_ms;
    count++;
    spend();
  };
  const spend = () => {
    const t = now();
    credit += (t - credited) / REPORT_INTERVAL_MS;
    if (credit > BURST) credit = BURST;
    credited = t;
    if (count === 0 || credit < 1) return;
    credit--;
    report();
  };
  const ends = watch(block);
  return {
    __proto__: null,
    isMeasured: ends !== undefined,
    poll: (t: number) => {
      const isHidden = page.visibilityState === 'hidden';
      // Browsers run the timers of hidden pages slowly.
      const late = t - last - poll_ms;
      if (!ends && !isHidden && !wasHidden) block({ __proto__: null, start_ms: last + poll_ms, length_ms: late } as LongTask);
      last = t;
      wasHidden = isHidden;
      spend();
    },
    paused: () => { wasHidden = true; },
    stop: () => {
      ends?.();
      report();
    },
  } as unknown as Busy;
};
