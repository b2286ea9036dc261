// Listeners for the library's own use.

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
