// Listening to the browser on our own behalf.

import { Observable } from 'rxjs';

const all = new Set<() => void>();

/** Ends with what it returns. */
export const on = <E extends Event>(target: EventTarget, type: string, run: (event: E) => void): (() => void) => {
  const add = () => target.addEventListener(type, run as EventListener);
  add();
  all.add(add);
  return () => {
    all.delete(add);
    target.removeEventListener(type, run as EventListener);
  };
};

/** Adds again what `document.open()` may have taken away; what is there is not added twice. */
export const listenAgain = (): void => all.forEach((add) => add());

/** The network is back. */
export const online$ = new Observable<Event>((out) => on(globalThis, 'online', (event) => out.next(event)));
