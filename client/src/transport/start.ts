// The beginning of a session: one request to the server, and the session's row in the browser's store.

import type { Agreed } from '../consent/ask';
import { sha256 } from '../consent/checksum';
import { found } from '../natives/lists';
import { background } from '../natives/promise';
import type { Settings } from '../options';
import { VERSION } from '../version';
import type { Api, Started } from './http';
import { linkOf } from './link';
import { stored } from './opening';
import type { Store, StoredSession } from './store';
import { participantOf, rememberParticipant } from './visitor';
import { sessionsOf } from './withdrawal';

/** One request for a session. The pseudonym is remembered, unless the visitor has withdrawn meanwhile. */
export const askForSession = async (
  api: Api, store: Store, settings: Settings, { given_utc_ms, text }: Agreed, isWithdrawn: () => boolean,
): Promise<Started> => {
  const { server, study, camera } = settings;
  const { link } = linkOf(settings);
  const participant = link !== null ? undefined
    : settings.participant ?? participantOf(server, study) ?? await participantOfTab(store, settings);
  const started = await api.start(settings.key, {
    study,
    ...(participant === undefined ? {} : { participant }),
    ...(link === null ? {} : { link }),
    consent: { given_utc_ms, text_sha256: await sha256(text) },
    camera,
    client: {
      version: VERSION, user_agent: navigator.userAgent, language: navigator.language,
      screen: `${screen.width}x${screen.height}@${devicePixelRatio}`,
    },
  });
  if (settings.participant === undefined && !isWithdrawn()) rememberParticipant(server, study, started.participant);
  return started;
};

/** Stores the session here. */
export const keepSession = async (store: Store, settings: Settings, started: Started, isWithdrawn: boolean): Promise<void> => {
  const { session: id, token, participant, condition = null, mask, content, max_batch_bytes, own_data = false } = started;
  const { server, study, mask: own, participant: given } = settings;
  const session = {
    id, server, study, token, participant, condition, is_numbered: given === undefined, mask: [...mask, ...own], content, max_batch_bytes, own_data,
    next: {}, documents: 0, video_chunks: 0, frames: 0, is_stopped: false, touched_utc_ms: Date.now(),
    ...(isWithdrawn && { is_stopped: true, is_withdrawn: true }),
  };
  await stored(() => store.keep(session), 'this browser does not store the session');
};

/** The pseudonym of another tab. A tab may not see at once what another one has written to `localStorage`. */
const participantOfTab = async (store: Store, settings: Settings): Promise<string | undefined> => {
  let sessions: StoredSession[] = [];
  await background(async () => { sessions = await sessionsOf(store, settings); });
  return found(sessions, (s) => s.is_numbered === true)?.participant;
};
