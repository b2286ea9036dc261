// The one place that stamps, orders and hands on what the sources tell.

import { stringify } from '../natives/js';
import { setTimer } from '../natives/dom';
import type { EventTime } from './event-time';

/** The fields of a kind, without a prototype. */
export type Body = { __proto__: null; [field: string]: unknown };

/** Lanes are limited one by one, so that a page that floods cannot drown what the participant does:
 * `u` the participant, `p` whatever the page can cause, `c` the clock and the document's first word. */
export type Lane = 'u' | 'p' | 'c';

/** Events of which only some are wanted. */
export type Slow = 'move' | 'scroll' | 'slide' | 'select';

/** Where everything goes. `json` is the kind's fields, written already. */
export type Deliver = (lane: Lane, kind: string, t: number, json: string) => void;

export interface Emit {
  now(lane: Lane, kind: string, at: EventTime, body: Body): void;
  /** For what is no object of ours: `json` was written by the caller. */
  written(lane: Lane, kind: string, at: EventTime, json: string): void;
  /** At most one in `slow`'s interval, the last one; another `target` is another event. */
  throttled(slow: Slow, lane: Lane, kind: string, at: EventTime, target: unknown, build: () => Body): void;
  /** Hands on what waits for the end of its interval. */
  release(): void;
}

interface Waiting { lane: Lane; kind: string; at: EventTime; target: unknown; build: () => Body }
interface Slot { last: number; every: number; wait: Waiting | null; timed: boolean }

const THROTTLE_MS = 33;
const SELECTION_MS = 250;
/** A handler that runs so soon after what it handles needs no time of its own. */
const SOON_MS = 1;
const SLOWS = ['move', 'scroll', 'slide', 'select'] as const;

/** `check` takes out of a body what may not be told. */
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
  // Waiting events go out before the next other event: numbers follow what our handlers saw.
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
