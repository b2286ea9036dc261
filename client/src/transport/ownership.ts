// One tab owns a session. Two tabs would use the same numbers for its records.

/** Ends the ownership. */
export type Release = () => void;

const NAME = 'affectograph.';
/** A page that is being reloaded owns its session until it is closed. */
export const HANDOVER_MS = 5_000;

/** `null` if another tab owns it and does not release it in time. In browsers without locks every tab becomes the owner. */
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
