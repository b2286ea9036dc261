// Reads the server's clock every few seconds, more often while the round trips are long, and at once after a sleep.

import { Observable } from 'rxjs';
import { type Ping, measure } from './clock';
import type { Api } from './http';
import type { ClockReading } from './store';

const PINGS = 8;
const EVERY_MS = 1_000;
/** With a good reading, only one of so many rounds is used. */
const QUIET_ROUNDS = 5;
const GOOD_MS = 2;
/** After this many rounds without a good reading the network is considered slow. */
const EAGER_ROUNDS = 30;

/** While the first reading is not good, it is repeated for so long. */
const FIRST_MS = 3_000;
/** The wall clock does not step by more than this while the page's clock runs. */
const STEP_MS = 200;

/** The wall clock minus the page's clock. It grows while the page's clock stands still. */
const aheadMs = () => Date.now() - performance.now();

export const burst = async (api: Api, count: number, tick_ms: number): Promise<ClockReading | null> => {
  const pings: Ping[] = [];
  for (let i = 0; i < count; i++) pings.push(await api.ping());
  return measure(pings, tick_ms);
};

export interface Reading {
  clock: ClockReading;
  /** False for a first reading that will be repeated at once. */
  isSettled: boolean;
}

/** One reading per round. */
export const clock$ = (api: Api, tick_ms: number): Observable<Reading> => new Observable((out) => {
  const first_until_ms = performance.now() + FIRST_MS;
  let best_ms = Infinity;
  let rounds = 0;
  let isAsking = false;
  let ahead_ms = aheadMs();
  const isSettled = () => best_ms <= GOOD_MS || performance.now() >= first_until_ms;
  const ask = async (): Promise<void> => {
    const round = rounds++;
    const now_ahead_ms = aheadMs();
    const isDue = Math.abs(now_ahead_ms - ahead_ms) > STEP_MS || round % QUIET_ROUNDS === 0
      || (best_ms > GOOD_MS && round < EAGER_ROUNDS);
    if (isAsking || !isDue) return;
    isAsking = true;
    do {
      // Without network there is no reading. The next round tries again.
      const clock = await burst(api, PINGS, tick_ms).catch(() => null);
      if (!clock) break;
      ahead_ms = now_ahead_ms;
      best_ms = Math.min(best_ms, clock.uncertainty_ms);
      out.next({ clock, isSettled: isSettled() });
    } while (!out.closed && !isSettled());
    isAsking = false;
  };
  const timer = setInterval(() => { void ask(); }, EVERY_MS);
  void ask();
  return () => clearInterval(timer);
});
