// Listening to the browser on our own behalf.

import { Observable } from 'rxjs';

/** Ends with what it returns. */
export const on = <E extends Event>(target: EventTarget, type: string, run: (event: E) => void): (() => void) => {
  target.addEventListener(type, run as EventListener);
  return () => target.removeEventListener(type, run as EventListener);
};

/** The network is back. */
export const online$ = new Observable<Event>((out) => on(globalThis, 'online', (event) => out.next(event)));
