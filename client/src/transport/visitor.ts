// What this browser remembers of a visitor of one study, for all tabs of the site: the answer to the consent dialog, and the
// pseudonym. They are two entries, so that a tab that writes one does not overwrite the other.

import { json } from '../natives/plain';
import { on } from './listen';
import { shelf } from './shelf';

export interface ConsentAnswer {
  answer: 'yes' | 'no';
  /** The text that the visitor agreed to, and when. */
  text_sha256?: string;
  given_utc_ms?: number;
  /** The last withdrawal: a no after a yes, which deletes what was recorded, in all tabs. Later answers keep it, because the
   * server may not have confirmed it yet. */
  withdrawn_utc_ms?: number;
}

const answerKey = (server: string, study: string) => `affectograph.answer.${server}.${study}`;
const participantKey = (server: string, study: string) => `affectograph.participant.${server}.${study}`;

const read = (key: string): string | null => {
  try {
    return shelf()?.getItem(key) ?? null;
  } catch {
    return null;
  }
};

/** Without `localStorage` nothing is remembered. */
const write = (key: string, value: string): void => {
  try {
    shelf()?.setItem(key, value);
  } catch {
    // Full. The visitor is asked again.
  }
};

/** Null if the visitor has not answered. */
export const answerOf = (server: string, study: string): ConsentAnswer | null => {
  try {
    return JSON.parse(read(answerKey(server, study)) ?? 'null') as ConsentAnswer | null;
  } catch {
    return null;
  }
};

/** The time of the last withdrawal. */
export const withdrawnOf = (server: string, study: string): number | undefined => answerOf(server, study)?.withdrawn_utc_ms;

export const rememberAnswer = (server: string, study: string, answer: ConsentAnswer): void => {
  const before_utc_ms = withdrawnOf(server, study);
  write(answerKey(server, study), json({ ...(before_utc_ms !== undefined && { withdrawn_utc_ms: before_utc_ms }), ...answer }));
};

/** Two withdrawals have different times, so that other tabs hear of the second one too. */
export const rememberWithdrawal = (server: string, study: string): void => {
  const withdrawn_utc_ms = Math.max(Date.now(), (withdrawnOf(server, study) ?? 0) + 1);
  rememberAnswer(server, study, { answer: 'no', withdrawn_utc_ms });
};

/** The pseudonym that the server gave. */
export const participantOf = (server: string, study: string): string | undefined => read(participantKey(server, study)) ?? undefined;

export const rememberParticipant = (server: string, study: string, participant: string): void =>
  write(participantKey(server, study), participant);

/** The next session gets another pseudonym. */
export const forgetParticipant = (server: string, study: string): void => {
  try {
    shelf()?.removeItem(participantKey(server, study));
  } catch {
    // It was not written either.
  }
};

/** Calls `run` when the visitor answers in another tab of this site. */
export const onAnswer = (server: string, study: string, run: (answer: ConsentAnswer) => void): (() => void) => {
  const changed = (event: StorageEvent) => {
    const answer = event.key === answerKey(server, study) && answerOf(server, study);
    if (answer) run(answer);
  };
  return on(globalThis, 'storage', changed);
};

/** Calls `run` at each withdrawal in another tab, from now on. The returned functions look at once, and end it. */
export const onWithdrawal = (server: string, study: string, run: () => void): { look: () => void; end: () => void } => {
  let seen_utc_ms = withdrawnOf(server, study);
  const look = () => {
    const now_utc_ms = withdrawnOf(server, study);
    if (now_utc_ms === seen_utc_ms) return;
    seen_utc_ms = now_utc_ms;
    if (now_utc_ms !== undefined) run();
  };
  return { look, end: onAnswer(server, study, look) };
};
