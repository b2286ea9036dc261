// Both stores of the browser, and sessions in them.

import 'fake-indexeddb/auto';
import { MemoryStore } from '../../src/transport/memory-store';
import { type Store, type StoredSession, openStore } from '../../src/transport/store';

export const indexedDb = (): Promise<Store> => openStore(() => Promise.reject(new Error('no IndexedDB')));
export const kinds: [string, () => Promise<Store>][] = [['IndexedDB', indexedDb], ['memory', async () => new MemoryStore()]];

let sessions = 0;
/** A session that is stored. `some`: fields with other values. */
export const begun = async (store: Store, some: Partial<StoredSession> = {}): Promise<StoredSession> => {
  const session: StoredSession = {
    id: `s${sessions++}`, server: 'http://x', study: 'y', token: 't', participant: 'sub-01', mask: [], content: [],
    max_batch_bytes: 10_000, next: {}, documents: 1, video_chunks: 0, frames: 0, is_stopped: false, touched_utc_ms: Date.now(), ...some,
  };
  await store.keep(session);
  return session;
};
