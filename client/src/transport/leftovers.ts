// Unsent records of earlier pages of this site. A separate file (`dist/leftovers.js`), loaded only if there are such records.

import { append, found } from '../natives/lists';
import { background } from '../natives/promise';
import { Api } from './http';
import { adoptLeft } from './outbox';
import { own } from './ownership';
import { burst } from './pings';
import { Sender } from './sender';
import { finish } from './session';
import type { Store, StoredSession } from './store';
import { isWithdrawn, withdraw } from './withdrawal';

const LENT_PINGS = 5;
/** A session that was not stopped is finished after this time without a record. */
const ABANDONED_MS = 30 * 60_000;

/** For sessions in which no document has measured the server's clock: converts this page's reading, by the wall clock that all
 * documents share. */
const lendClock = async (api: Api, store: Store, id: string): Promise<void> => {
  const documents = await store.documents(id);
  if (documents.length === 0 || found(documents, (d) => d.clock !== null) || await store.countBatches(id) === 0) return;
  const clock = await burst(api, LENT_PINGS, 1);
  const session = await store.change(id, (s) => { s.documents += 1; });
  if (session) await store.keepDocument(id, { document: session.documents, time_origin_utc_ms: performance.timeOrigin, clock });
};

const sendOne = async (store: Store, session: StoredSession): Promise<void> => {
  const api = new Api(session.server);
  if (isWithdrawn(session)) return withdraw(api, store, session);
  await adoptLeft(store, session.id);
  await lendClock(api, store, session.id);
  let hasEnded = false;
  await new Sender(api, store, session).empty((outcome) => { hasEnded ||= outcome.kind === 'ended'; });
  const current = await store.session(session.id);
  if (hasEnded) await store.forget(session.id);
  else if (current && (current.is_stopped || Date.now() - current.touched_utc_ms > ABANDONED_MS)) {
    await finish(api, store, session.id);
  }
};

/** Sends the records of tabs that were closed, crashed or had no network, and deletes what was withdrawn. All sessions are tried
 * before it rejects with the first error. */
export const sendLeftovers = async (store: Store, own_id: string | null): Promise<void> => {
  const failed: unknown[] = [];
  for (const session of await store.sessions()) {
    if (session.id === own_id) continue;
    const release = await own(session.id, 0);
    if (!release) continue; // its tab is still open
    await background(() => sendOne(store, session), (error) => append(failed, error));
    release();
  }
  if (failed.length > 0) throw failed[0];
};
