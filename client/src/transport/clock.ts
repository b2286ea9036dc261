// Maps this document's own time onto the server's clock, as `src/page/clock.rs` does for the lab.
//
// A question leaves at `sent`, the server reads its clock, the answer arrives at `received`: so the server's reading lies
// somewhere between the two. The middle is wrong by at most half the round trip, wherever the delay was; a coarse
// `performance.now()` adds its tick. Nothing else is assumed, so the uncertainty is a bound and not a guess.

import type { ClockReading } from './store';

export interface Ping {
  sent_ms: number;
  received_ms: number;
  server_utc_ms: number;
}

/** How much the two clocks may drift apart. */
const DRIFT = 50e-6;

/** The reading that follows from the quickest of these, and from no other. */
export const measure = (pings: readonly Ping[], tick_ms: number): ClockReading | null => {
  let best: Ping | null = null;
  for (const ping of pings) if (!best || ping.received_ms - ping.sent_ms < best.received_ms - best.sent_ms) best = ping;
  if (!best) return null;
  return {
    at_ms: best.received_ms,
    offset_ms: best.server_utc_ms - (best.sent_ms + best.received_ms) / 2,
    uncertainty_ms: (best.received_ms - best.sent_ms) / 2 + tick_ms,
  };
};

const aged = (reading: ClockReading, at_ms: number) => reading.uncertainty_ms + Math.max(0, at_ms - reading.at_ms) * DRIFT;

/** The new one, unless the old one is still better by now. */
export const better = (old: ClockReading | null, fresh: ClockReading): ClockReading =>
  old && aged(old, fresh.at_ms) < fresh.uncertainty_ms ? old : fresh;
