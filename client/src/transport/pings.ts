// Asks the server for its time, at the start and every few seconds.

import { EMPTY, type Observable, catchError, concat, defer, exhaustMap, filter, from, take, timer } from 'rxjs';
import { type Ping, measure } from './clock';
import type { Api } from './http';
import type { ClockReading } from './store';

const FIRST_BURST = 10;
const BURST = 4;
/** Often at the beginning, when a page is busy with itself; then every few seconds. */
const EARLY_MS = 1_000;
const EARLY_ROUNDS = 5;
const EVERY_MS = 5_000;

export const burst = async (api: Api, count: number, tick_ms: number): Promise<ClockReading | null> => {
  const pings: Ping[] = [];
  for (let i = 0; i < count; i++) {
    const sent_ms = performance.now();
    const server_utc_ms = await api.clock();
    pings.push({ sent_ms, received_ms: performance.now(), server_utc_ms });
  }
  return measure(pings, tick_ms);
};

/** One reading a round. */
export const clock$ = (api: Api, tick_ms: number): Observable<ClockReading> =>
  concat(timer(0, EARLY_MS).pipe(take(EARLY_ROUNDS)), timer(EVERY_MS, EVERY_MS)).pipe(
    // Without network there is no reading; the next one comes in time.
    exhaustMap((_, round) => defer(() => from(burst(api, round === 0 ? FIRST_BURST : BURST, tick_ms)))
      .pipe(catchError(() => EMPTY))),
    filter((reading): reading is ClockReading => reading !== null),
  );
