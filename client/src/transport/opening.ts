// The browser's store, or the memory of this document if the browser stores nothing.

import { load } from '../assets';
import type { Settings } from '../options';
import { type Store, openStore } from './store';

export const openStoreOf = ({ assets }: Settings): Promise<Store> => openStore(async () => {
  const { MemoryStore } = await load(assets, 'memory-store.js', () => import('./memory-store'));
  return new MemoryStore();
});
