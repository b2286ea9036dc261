// The life cycle of a session in this browser: start or resume, ownership by one tab, finish.

import { keys } from '../natives/js';
import { sentence } from '../natives/promise';
import type { Completion } from '../state';
import { type Api, Refused, type Started } from './http';
import { on, rest } from './listen';
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

/** Repeats `ask` until the server answers. Null if `ended` comes first. Rejects with a `Refused` if the server refuses for
 * good. */
export const begin = async (
  ask: () => Promise<Started>, waiting: (why: string) => void, ended: AbortSignal,
): Promise<Started | null> => {
  for (let attempt = 1; !ended.aborted; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
      if (ended.aborted) return null;
      waiting(error instanceof Refused ? error.message : `the server does not answer: ${sentence(error)}`);
      await rest(waitMs(attempt, error), (end) => on(ended, 'abort', end));
    }
  }
  return null;
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

/** The end of a session. `isWhole` is false if the server reports missing records. */
interface Finished { isWhole: boolean; completion: Completion | null }

/** Finishes the session on the server and deletes it here. */
export const finish = async (api: Api, store: Store, id: string): Promise<Finished> => {
  const session = await store.session(id);
  if (!session) return { isWhole: true, completion: null };
  const numbered: Numbers = {};
  for (const stream of keys(session.next)) if (session.next[stream]! > 0) numbered[stream] = session.next[stream]!;
  let isWhole = true;
  let completion: Completion | null = null;
  try {
    completion = await api.finish(id, session.token, numbered, session.video_chunks);
  } catch (error) {
    // The page of a proxy, while the server is away, ends nothing.
    if (!(error instanceof Refused && error.isOfServer) || error.status === 429 || error.status >= 500) throw error;
    isWhole = error.status !== 409;
  }
  await store.forget(id);
  return { isWhole, completion };
};

/** The end of the study, with the participant's own identifier in the address. */
export const completed = ({ code, redirect }: Completion, link: string | null): Completion => {
  const address = redirect?.startsWith('https://') ? redirect.replaceAll('{participant}', () => encodeURIComponent(link ?? '')) : undefined;
  return { ...(code !== undefined && { code }), ...(address !== undefined && { redirect: address }) };
};
