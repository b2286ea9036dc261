// What this browser remembers of a visitor of one study, for all tabs of the site: the answer to the consent dialog, and the
// pseudonym. They are two entries, so that a tab that writes one does not overwrite the other.

import { json } from '../natives/plain';
import { shelf } from './shelf';

export interface ConsentAnswer {
  answer: 'yes' | 'no';
  /** The text that the visitor agreed to, and when. */
  text_sha256?: string;
  given_utc_ms?: number;
  /** A no after a yes: what was recorded is deleted, in all tabs. */
  is_withdrawn?: boolean;
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

export const rememberAnswer = (server: string, study: string, answer: ConsentAnswer): void =>
  write(answerKey(server, study), json(answer));

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
  globalThis.addEventListener('storage', changed);
  return () => globalThis.removeEventListener('storage', changed);
};
