// The browser's store, or the memory of this document if the browser stores nothing; and how long its answers are awaited.

import { load } from '../assets';
import { within } from '../natives/promise';
import type { Settings } from '../options';
import { type Store, openStore } from './store';

export const openStoreOf = ({ assets }: Settings): Promise<Store> => openStore(async () => {
  const { MemoryStore } = await load(assets, 'memory-store.js', () => import('./memory-store'));
  return new MemoryStore();
});

/** A browser's store that takes longer does not delay the request to the server. */
export const STORE_PATIENCE_MS = 3_000;

/** The result of `work` with the store. Rejects after a while with the sentence `slow`, because a database may never answer. */
export const stored = async <T>(work: () => Promise<T>, slow = 'its database does not answer'): Promise<T> => {
  let result: { value: T } | undefined;
  await within((async () => { result = { value: await work() }; })(), STORE_PATIENCE_MS);
  if (!result) throw new Error(slow);
  return result.value;
};
