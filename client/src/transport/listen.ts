// Listeners for the library's own use, and waits that they end.

import { promise } from '../natives/promise';

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
export const listenAgain = (): void => { for (const add of all) add(); };

/** Called when the browser is online again. */
export const onOnline = (run: () => void): (() => void) => on(globalThis, 'online', run);

/** Waits. The browser's being online again ends it, and so does what `until` listens to. No listener and no timer is left. */
export const rest = async (ms: number, until: (end: () => void) => () => void): Promise<void> => {
  let forget = () => undefined as void;
  await promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const online = onOnline(resolve);
    const interrupted = until(resolve);
    forget = () => {
      clearTimeout(timer);
      online();
      interrupted();
    };
  });
  forget();
};
