// The time of an event: its own `timeStamp`, if that is plausible.
//
// A busy page handles a key press seconds after the press. The browser has stored the time of the press, so that the time
// stamp is used. The time of the handler is recorded beside it.

import { indexOf } from '../natives/js';
import { now, stampOf } from '../natives/dom';

export interface EventTime {
  __proto__: null;
  /** On this document's clock. */
  t: number;
  /** When our handler ran. */
  handled: number;
  /** The participant's event has no plausible time stamp: `t` is the time of our handler. */
  isByHandling: boolean;
}

/** A time stamp may be this much later than our reading of the clock, because clocks are coarse and WebKit converts times to
 * wall time and back. Our reading is used then. */
const MAX_AHEAD_MS = 50;
/** No event waits longer than this. */
const MAX_LAG_MS = 600_000;
/** A press that is handled this soon proves that presses have time stamps of this document's clock. */
const NEAR_MS = 100;
/** Events of input devices. Some systems take their time stamps from another clock. */
const DEVICE = ',keydown,keyup,pointerdown,pointerup,pointermove,pointercancel,click,dblclick,contextmenu,';
/** Events whose time stamp is certainly the device's. A click is not: the browser can make it from a key press. */
const PROOF = ',keydown,keyup,pointerdown,pointerup,pointermove,';

export const eventTime = (t = now()): EventTime => ({ __proto__: null, t, handled: t, isByHandling: false });

export interface EventTimestamps {
  /** `offset` is added to a time of the event's document to get a time of this document. */
  of(event: Event, type: string, offset: number, handled: number): EventTime;
  /** The page's main thread was free at `t`. */
  poll(t: number): void;
}

/** `poll_ms`: how often `poll` is called while the page is not busy. */
export const eventTimestamps = (poll_ms: number): EventTimestamps => {
  let isProven = false;
  let alive = now();
  /** The time stamp is plausible if the main thread was blocked for about as long as the lag. */
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
