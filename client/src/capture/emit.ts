// Adds times to the sources' events, orders them and delivers them.

import { stringify } from '../natives/js';
import { setTimer } from '../natives/dom';
import type { EventTime } from './event-time';

/** The fields of a kind, without a prototype. */
export type Body = { __proto__: null; [field: string]: unknown };

/** The rate of each lane is limited separately, so that a page with very many events does not displace the participant's.
 * `u`: the participant. `p`: everything that the page can cause. `c`: the clock and the document's first event. */
export type Lane = 'u' | 'p' | 'c';

/** Events that are recorded at a limited rate. */
export type Slow = 'move' | 'scroll' | 'slide' | 'select';

/** Receives all events. `json` contains the fields of the event's kind. */
export type Deliver = (lane: Lane, kind: string, t: number, json: string) => void;

export interface Emit {
  now(lane: Lane, kind: string, at: EventTime, body: Body): void;
  /** For data of the page: the caller wrote `json`. */
  written(lane: Lane, kind: string, at: EventTime, json: string): void;
  /** At most one event, the last one, in the interval of `slow`. Another `target` is another event. */
  throttled(slow: Slow, lane: Lane, kind: string, at: EventTime, target: unknown, build: () => Body): void;
  /** Delivers the events that wait for the end of their interval. */
  release(): void;
}

interface Waiting { lane: Lane; kind: string; at: EventTime; target: unknown; build: () => Body }
interface Slot { last: number; every: number; wait: Waiting | null; timed: boolean }

const THROTTLE_MS = 33;
const SELECTION_MS = 250;
/** The handler's time is recorded only if it ran at least this much later than the event. */
const SOON_MS = 1;
const SLOWS = ['move', 'scroll', 'slide', 'select'] as const;

/** `check` removes from a body what may not be recorded. */
export const emitter = (deliver: Deliver, check: (body: Body) => void): Emit => {
  const slot = (every: number): Slot => ({ __proto__: null, last: -1e9, every, wait: null, timed: false } as Slot);
  const slots = {
    __proto__: null,
    move: slot(THROTTLE_MS), scroll: slot(THROTTLE_MS), slide: slot(THROTTLE_MS), select: slot(SELECTION_MS),
  } as unknown as Record<Slow, Slot>;
  const write = (at: EventTime, body: Body): string => {
    if (at.handled - at.t >= SOON_MS) body.handled_ms = at.handled;
    if (at.isByHandling) body.is_timed_by_handling = true;
    check(body);
    return stringify(body);
  };
  // Waiting events are delivered before the next event, so that numbers follow the order of our handlers.
  const release = () => {
    for (;;) {
      let oldest: Slot | null = null;
      for (let i = 0; i < SLOWS.length; i++) {
        const slot = slots[SLOWS[i]!];
        if (slot.wait && (!oldest?.wait || slot.wait.at.handled < oldest.wait.at.handled)) oldest = slot;
      }
      if (!oldest?.wait) return;
      const { lane, kind, at, build } = oldest.wait;
      oldest.wait = null;
      oldest.last = at.t;
      deliver(lane, kind, at.t, write(at, build()));
    }
  };
  return {
    __proto__: null,
    now: (lane: Lane, kind: string, at: EventTime, body: Body) => {
      const json = write(at, body);
      release();
      deliver(lane, kind, at.t, json);
    },
    written: (lane: Lane, kind: string, at: EventTime, json: string) => {
      release();
      deliver(lane, kind, at.t, json);
    },
    throttled: (slow: Slow, lane: Lane, kind: string, at: EventTime, target: unknown, build: () => Body) => {
      const slot = slots[slow];
      if (slot.wait && slot.wait.target !== target) release();
      slot.wait = { __proto__: null, lane, kind, at, target, build } as Waiting;
      const since = at.t - slot.last;
      if (since >= slot.every) {
        release();
      } else if (!slot.timed) {
        slot.timed = true;
        setTimer(() => {
          slot.timed = false;
          if (slot.wait) release();
        }, since > 0 ? slot.every - since : slot.every);
      }
    },
    release,
  } as unknown as Emit;
};
