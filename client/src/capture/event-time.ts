// When something happened: what the event itself says, where that can be believed.
//
// A page that is busy hears of a key seconds after it was pressed. The browser has noted the press meanwhile, so its
// own stamp is the time, and the moment at which we heard of it is kept beside it.

import { indexOf } from '../natives/js';
import { now, stampOf } from '../natives/dom';

export interface EventTime {
  __proto__: null;
  /** On this document's clock. */
  t: number;
  /** When our handler ran. */
  handled: number;
  /** The participant's event has no stamp that can be believed: `t` is when our handler ran. */
  isByHandling: boolean;
}

/** EventTimestamps may be this much ahead of our reading, which is then the better one: clocks are coarse, and WebKit turns times
 * into wall time and back. */
const MAX_AHEAD_MS = 50;
/** Nothing that a person did waits longer than this. */
const MAX_LAG_MS = 600_000;
/** A press that is heard of so soon shows that presses are stamped by this document's clock. */
const NEAR_MS = 100;
/** What a device tells. Its stamps come from outside the page, and some systems give them from another clock. */
const DEVICE = ',keydown,keyup,pointerdown,pointerup,pointermove,pointercancel,click,dblclick,contextmenu,';
/** Of these the stamp is surely the device's: a click may be made by the browser, at once, out of a key. */
const PROOF = ',keydown,keyup,pointerdown,pointerup,pointermove,';

export const eventTime = (t = now()): EventTime => ({ __proto__: null, t, handled: t, isByHandling: false });

export interface EventTimestamps {
  /** `offset` leads from the clock of the event's own document to this one's. */
  of(event: Event, type: string, offset: number, handled: number): EventTime;
  /** The page is alive. */
  poll(t: number): void;
}

/** `poll_ms`: how often `poll` is called while the page is not busy. */
export const eventTimestamps = (poll_ms: number): EventTimestamps => {
  let isProven = false;
  let alive = now();
  /** A lag is no fault of the stamp's where the page stood still for about as long. */
  const isExplained = (lag: number, handled: number) => handled - alive >= lag - 2 * poll_ms;
  return {
    __proto__: null,
    of: (event: Event, type: string, offset: number, handled: number) => {
      const stamped = event.isTrusted ? stampOf(event) + offset : NaN;
      const lag = handled - stamped;
      let isSound = stamped >= 0 && lag >= -MAX_AHEAD_MS && lag <= MAX_LAG_MS;
      if (isSound && indexOf(DEVICE, ',' + type + ',') >= 0) {
        if (lag <= NEAR_MS) isProven ||= indexOf(PROOF, ',' + type + ',') >= 0;
        else isSound = isProven || isExplained(lag, handled);
      }
      const t = isSound && stamped < handled ? stamped : handled;
      return { __proto__: null, t, handled, isByHandling: event.isTrusted && !isSound } as EventTime;
    },
    poll: (t: number) => { alive = t; },
  } as unknown as EventTimestamps;
};
