// Maps this document's time onto the server's clock.
//
// A request leaves at `sent`, the server reads its clock, and the answer arrives at `received`. The server's reading is
// between these two times, so each request allows a range of offsets. The true offset is in the ranges of all requests. A
// busy computer delays the way there in one request and the way back in another, so the common range is smaller than each
// of them. The resolution of `performance.now()` and the drift between the requests are added. Nothing else is assumed, so
// that the uncertainty is a bound.

import type { ClockReading } from './store';

export interface Ping {
  sent_ms: number;
  received_ms: number;
  server_utc_ms: number;
}

/** How much the two clocks may drift apart. The program (`CLOCK_DRIFT`) has the same value. */
const DRIFT = 50e-6;

/** From the offsets that all requests allow. If there are none, a clock was set meanwhile, and the later requests count. */
export const measure = (pings: readonly Ping[], tick_ms: number): ClockReading | null => {
  if (!pings.length) return null;
  let [low_ms, high_ms, at_ms] = [-Infinity, Infinity, 0];
  for (const ping of pings) {
    at_ms = ping.received_ms;
    const [low, high] = [ping.server_utc_ms - at_ms, ping.server_utc_ms - ping.sent_ms];
    const isSet = low > high_ms || high < low_ms;
    low_ms = isSet ? low : Math.max(low_ms, low);
    high_ms = isSet ? high : Math.min(high_ms, high);
  }
  const drift_ms = (at_ms - pings[0]!.sent_ms) * DRIFT;
  return { at_ms, offset_ms: (low_ms + high_ms) / 2, uncertainty_ms: (high_ms - low_ms) / 2 + tick_ms + drift_ms };
};

const aged = (reading: ClockReading, at_ms: number) => reading.uncertainty_ms + Math.max(0, at_ms - reading.at_ms) * DRIFT;

/** No offset is within the errors of both: one clock stood still or was set, for example while the computer slept. */
const contradicts = (old: ClockReading, fresh: ClockReading): boolean =>
  Math.abs(fresh.offset_ms - old.offset_ms) > aged(old, fresh.at_ms) + fresh.uncertainty_ms;

/** The reading with the smaller error now. The error of the old one has grown with its age. A fresh one that contradicts the
 * old one is right. */
export const better = (old: ClockReading | null, fresh: ClockReading): ClockReading =>
  old && aged(old, fresh.at_ms) < fresh.uncertainty_ms && !contradicts(old, fresh) ? old : fresh;
