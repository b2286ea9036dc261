// One tab owns a session. Two tabs would use the same numbers for its records.

import { background, promise } from '../natives/promise';

/** Ends the ownership. */
export type Release = () => void;

const NAME = 'affectograph.';
/** A page that is being reloaded owns its session until it is closed. */
export const HANDOVER_MS = 5_000;

const hasLocks = (): boolean => typeof navigator !== 'undefined' && 'locks' in navigator;

/** `null` if another tab owns it and does not release it in time. In browsers without locks every tab becomes the owner. */
export const own = async (session: string, patience_ms: number): Promise<Release | null> => {
  if (!hasLocks()) return () => undefined;
  const options: LockOptions = patience_ms > 0 ? { signal: AbortSignal.timeout(patience_ms) } : { ifAvailable: true };
  return promise((resolve) => {
    const held = (lock: Lock | null) => {
      if (!lock) return resolve(null);
      return promise<void>((release) => resolve(release));
    };
    void background(() => navigator.locks.request(NAME + session, options, held), () => resolve(null));
  });
};

/** Runs `work` while no other tab of this site runs such work. It is not run twice, and it is run in browsers without locks. */
export const alone = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  if (!hasLocks()) return work();
  let isBegun = false;
  const once = () => {
    isBegun = true;
    return work();
  };
  try {
    return await navigator.locks.request(NAME + name, once);
  } catch (error) {
    if (isBegun) throw error;
    return work();
  }
};
