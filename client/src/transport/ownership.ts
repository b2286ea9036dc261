// One session belongs to one tab: two that number its records at the same time would both use the same numbers.

/** Ends the ownership. */
export type Release = () => void;

const NAME = 'affectograph.';
/** A page that is being reloaded still owns its session for a moment. */
export const HANDOVER_MS = 5_000;

/** `null` where another tab owns it and does not let go in time. Browsers without locks have one tab, as far as we know. */
export const own = (session: string, patience_ms: number): Promise<Release | null> => {
  if (typeof navigator === 'undefined' || !('locks' in navigator)) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    const options: LockOptions = patience_ms > 0 ? { signal: AbortSignal.timeout(patience_ms) } : { ifAvailable: true };
    navigator.locks.request(NAME + session, options, (lock) => {
      if (!lock) return resolve(null);
      return new Promise<void>((release) => resolve(release));
    }).catch(() => resolve(null));
  });
};
