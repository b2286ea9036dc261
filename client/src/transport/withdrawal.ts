// The deletion of what was recorded of a visitor, in this browser and on the server.

import { append, kept } from '../natives/lists';
import { background, sentence } from '../natives/promise';
import type { Settings } from '../options';
import { Api, Refused } from './http';
import { rest } from './listen';
import { openStoreOf, stored } from './opening';
import { dropLeft } from './outbox';
import { waitMs } from './sender';
import type { Store, StoredSession } from './store';
import { withdrawnOf } from './visitor';

/** Why something is not deleted yet: a sentence, and its cause. */
class Undeleted extends Error {
  constructor(what: string, readonly error: unknown) {
    super(`${what}: ${sentence(error)}`);
  }
}

/** Deletes the session on the server and here. Rejects with an `Undeleted` unless both have confirmed it. The server is asked
 * even if the store fails. If the server does not confirm it, the token stays here, and a later page of this site asks again. */
export const withdraw = async (api: Api, store: Store, { id, token }: Pick<StoredSession, 'id' | 'token'>): Promise<void> => {
  dropLeft(id);
  await background(() => stored(() => store.withdraw(id))); // the deletion below decides
  try {
    await api.withdraw(id, token);
  } catch (error) {
    // It was deleted before.
    if (!(error instanceof Refused && error.isGone)) {
      throw new Undeleted('the server has not confirmed yet that everything is deleted', error);
    }
  }
  try {
    await stored(() => store.forget(id));
  } catch (error) {
    throw new Undeleted('the server has deleted everything, but this browser has not deleted its copy yet', error);
  }
};

/** All sessions of the visitor of this study. */
export const sessionsOf = (store: Store, { server, study }: Settings): Promise<StoredSession[]> =>
  stored(async () => kept(await store.sessions(), (s) => s.server === server && s.study === study));

/** Whether the visitor withdrew when the session was there. The answer says so if the store could not be written. */
export const isWithdrawn = ({ server, study, is_withdrawn, touched_utc_ms }: StoredSession): boolean =>
  is_withdrawn === true || touched_utc_ms <= (withdrawnOf(server, study) ?? -1);

/** What the deletion of a session needs. */
type Deletable = Pick<StoredSession, 'id' | 'token' | 'server'>;

/** Deletes these sessions. All are tried before it rejects. `confirmed` is called for each one that is deleted. */
const withdrawAll = async (
  store: Store, sessions: readonly Deletable[], confirmed: (session: Deletable) => void = () => undefined,
): Promise<void> => {
  const failed: Undeleted[] = [];
  for (const session of sessions) {
    await background(async () => {
      await withdraw(new Api(session.server), store, session);
      confirmed(session);
    }, (error) => append(failed, error as Undeleted));
  }
  if (failed[0]) throw failed[0];
};

/** Runs `work` until it succeeds, and reports why it does not yet. */
const untilDone = async (work: () => Promise<void>, report: (problem: string) => void): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      report(sentence(error));
      await rest(waitMs(attempt, error instanceof Undeleted ? error.error : error), () => () => undefined);
    }
  }
};

/** The visitor's withdrawal: the page's own session, if it has one, and all others that are stored here. Those of other open
 * tabs too, because a browser may have frozen them. Sessions that begin later are not touched. */
export const withdrawVisitor = (
  store: Store, settings: Settings, own: Pick<StoredSession, 'id' | 'token'> | null, report: (problem: string) => void,
): Promise<void> => {
  let left: Deletable[] = own ? [{ ...own, server: settings.server }] : [];
  let isRead = false;
  return untilDone(async () => {
    let unread: unknown;
    if (!isRead) {
      await background(async () => {
        const others = kept(await sessionsOf(store, settings), (s) => s.id !== own?.id);
        left = [...left, ...others];
        isRead = true;
        // Before the server is asked, so that a later page knows it if this one is closed now.
        for (const { id } of others) await background(() => stored(() => store.withdraw(id)));
      }, (error) => { unread = error; });
    }
    await withdrawAll(store, left, (confirmed) => { left = kept(left, (s) => s !== confirmed); });
    if (unread) throw new Undeleted('this browser does not show whether it has further records', unread);
  }, report);
};

/** For a page that records nothing: asks the server again for the deletions that it has not confirmed, until it has. */
export const withdrawLeft = async (settings: Settings, report: (problem: string | null) => void): Promise<void> => {
  const store = await openStoreOf(settings);
  await untilDone(async () => withdrawAll(store, kept(await sessionsOf(store, settings), isWithdrawn)), report);
  report(null);
};
