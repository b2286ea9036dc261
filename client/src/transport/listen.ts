// Listeners for the library's own use.

import { Observable } from 'rxjs';

const all = new Set<() => void>();

/** The returned function removes the listener. */
export const on = <E extends Event>(target: EventTarget, type: string, run: (event: E) => void): (() => void) => {
  const add = () => target.addEventListener(type, run as EventListener);
  add();
  all.add(add);
  return () => {
    all.delete(add);
    target.removeEventListener(type, run as EventListener);
  };
};

/** Adds the listeners again that `document.open()` may have removed. Browsers do not add a listener twice. */
export const listenAgain = (): void => all.forEach((add) => add());

/** Emits when the browser is online again. */
export const online$ = new Observable<Event>((out) => on(globalThis, 'online', (event) => out.next(event)));
