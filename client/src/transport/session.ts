// The life cycle of a session in this browser: start or resume, ownership by one tab, finish, deletion.

import { type Api, Refused, type StartRequest, type Started } from './http';
import { adoptLeft } from './outbox';
import { HANDOVER_MS, type Release, own } from './ownership';
import { waitMs } from './sender';
import type { Numbers, Store, StoredSession } from './store';

/** One document's part of a session. */
export interface Opened {
  session: StoredSession;
  document: number;
  next: Numbers;
  release: Release;
}

/** Repeats the request until the server answers. Rejects with a `Refused` if the server refuses for good. */
export const begin = async (
  api: Api, key: string, request: StartRequest, waiting: (why: string) => void,
): Promise<Started> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.start(key, request);
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
      waiting(error instanceof Error ? error.message : String(error));
      await new Promise((resolve) => { setTimeout(resolve, waitMs(attempt, error)); });
    }
  }
};

/** Makes this document the session's next one. Null if the session does not exist, is stopped, or belongs to another tab. */
export const open = async (store: Store, id: string): Promise<Opened | null> => {
  const release = await own(id, HANDOVER_MS);
  if (!release) return null;
  await adoptLeft(store, id);
  const session = await store.change(id, (s) => { if (!s.is_stopped) s.documents += 1; });
  if (!session || session.is_stopped) {
    release();
    return null;
  }
  const info = { document: session.documents, time_origin_utc_ms: performance.timeOrigin, clock: null };
  await store.keepDocument(id, info);
  return { session, document: session.documents, next: session.next, release };
};

/** Finishes the session on the server and deletes it here. False if the server reports missing records. */
export const finish = async (api: Api, store: Store, id: string): Promise<boolean> => {
  const session = await store.session(id);
  if (!session) return true;
  const numbered = Object.fromEntries(Object.entries(session.next).filter(([, n]) => n > 0));
  let isWhole = true;
  try {
    await api.finish(id, session.token, numbered, session.video_chunks);
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 429 || error.status >= 500) throw error;
    isWhole = error.status !== 409;
  }
  await store.forget(id);
  return isWhole;
};
