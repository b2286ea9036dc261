// When something happened: what the event itself says, where that can be believed.
//
// A page that is busy hears of a key seconds after it was pressed. The browser has noted the press meanwhile, so its
// own stamp is the time, and the moment at which we heard of it is kept beside it.

import { indexOf } from '../natives/js';
import { now, stampOf } from '../natives/dom';

export interface Moment {
  __proto__: null;
  /** On this document's clock. */
  t: number;
  /** When our handler ran. */
  handled: number;
  /** The participant's event has no stamp that can be believed: `t` is when our handler ran. */
  isByHandling: boolean;
}

/** Stamps may be this much ahead of our reading, which is then the better one: clocks are coarse, and WebKit turns times
 * into wall time and back. */
const AHEAD_MS = 50;
/** Nothing that a person did waits longer than this. */
const OLDEST_MS = 600_000;
/** A press that is heard of so soon shows that presses are stamped by this document's clock. */
const NEAR_MS = 100;
/** What a device tells. Its stamps come from outside the page, and some systems give them from another clock. */
const DEVICE = ',keydown,keyup,pointerdown,pointerup,pointermove,pointercancel,click,dblclick,contextmenu,';
/** Of these the stamp is surely the device's: a click may be made by the browser, at once, out of a key. */
const PROOF = ',keydown,keyup,pointerdown,pointerup,pointermove,';

export const moment = (t = now()): Moment => ({ __proto__: null, t, handled: t, isByHandling: false });

export interface Stamps {
  /** `offset` leads from the clock of the event's own document to this one's. */
  of(event: Event, type: string, offset: number, handled: number): Moment;
  /** The page is alive. */
  beat(t: number): void;
}

/** `beat_ms`: how often `beat` is called while the page is not busy. */
export const stamps = (beat_ms: number): Stamps => {
  let isProven = false;
  let alive = now();
  /** A lag is no fault of the stamp's where the page stood still for about as long. */
  const isExplained = (lag: number, handled: number) => handled - alive >= lag - 2 * beat_ms;
  return {
    __proto__: null,
    of: (event: Event, type: string, offset: number, handled: number) => {
      const told = event.isTrusted ? stampOf(event) + offset : NaN;
      const lag = handled - told;
      let isSound = told >= 0 && lag >= -AHEAD_MS && lag <= OLDEST_MS;
      if (isSound && indexOf(DEVICE, ',' + type + ',') >= 0) {
        if (lag <= NEAR_MS) isProven ||= indexOf(PROOF, ',' + type + ',') >= 0;
        else isSound = isProven || isExplained(lag, handled);
      }
      const t = isSound && told < handled ? told : handled;
      return { __proto__: null, t, handled, isByHandling: event.isTrusted && !isSound } as Moment;
    },
    beat: (t: number) => { alive = t; },
  } as unknown as Stamps;
};
