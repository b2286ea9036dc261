// Maps this document's time onto the server's clock, as the program's `page/clock.rs` does for the lab.
//
// A request leaves at `sent`, the server reads its clock, and the answer arrives at `received`. The server's reading is
// between these two times. The error of the middle is at most half the round trip, wherever the delay occurred. The
// resolution of `performance.now()` is added. Nothing else is assumed, so that the uncertainty is a bound.

import type { ClockReading } from './store';

export interface Ping {
  sent_ms: number;
  received_ms: number;
  server_utc_ms: number;
}

/** How much the two clocks may drift apart. The program (`CLOCK_DRIFT`) has the same value. */
const DRIFT = 50e-6;

/** The reading of the request with the shortest round trip. */
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

/** No offset is within the errors of both: one clock stood still or was set, for example while the computer slept. */
const contradicts = (old: ClockReading, fresh: ClockReading): boolean =>
  Math.abs(fresh.offset_ms - old.offset_ms) > aged(old, fresh.at_ms) + fresh.uncertainty_ms;

/** The reading with the smaller error now. The error of the old one has grown with its age. A fresh one that contradicts the
 * old one is right. */
export const better = (old: ClockReading | null, fresh: ClockReading): ClockReading =>
  old && aged(old, fresh.at_ms) < fresh.uncertainty_ms && !contradicts(old, fresh) ? old : fresh;
