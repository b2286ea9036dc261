// Everything before consent, a separate file (`dist/consent.js`): what the visitor answered before, what the study says, and
// the dialog.

import { load } from '../assets';
import { background } from '../natives/promise';
import { type Settings, obey } from '../options';
import type { State } from '../state';
import { Api, type Invitation, Refused } from '../transport/http';
import { linkOf } from '../transport/link';
import { linkAnswerOf, rememberLinkAnswer } from '../transport/link-answer';
import { on } from '../transport/listen';
import { noteTab } from '../transport/tab';
import { type ConsentAnswer, answerOf, onAnswer, participantOf, rememberAnswer, withdrawnOf } from '../transport/visitor';
import { sha256 } from './checksum';
import { askConsent } from './dialog';
import { consentText } from './text';

/** The visitor's consent. */
export interface Agreed {
  given_utc_ms: number;
  /** What the visitor agreed to. */
  text: string;
  /** The study's selectors, if they are known. */
  rules?: { mask: string[]; content: string[] };
}

export type Answer = Agreed | 'no' | 'ended';

/** The dialog appears after this time, with or without the study's text. */
const INVITATION_MS = 5_000;

/** The study's invitation, or null if the server does not answer. Rejects if the server does not accept the key. A page and a
 * server of one origin: browsers send no `Origin` with this request, and a proxy may hide that the origin is allowed. The
 * request that begins the session is the one that decides. */
const invited = async ({ server, key, study }: Settings, ended: AbortSignal): Promise<Invitation | null> => {
  const request = new AbortController();
  const timer = setTimeout(() => request.abort(), INVITATION_MS);
  const forget = on(ended, 'abort', () => request.abort());
  try {
    return await new Api(server).invitation(key, study, request.signal);
  } catch (error) {
    if (error instanceof Refused && error.isForbidden && error.body.type !== 'urn:affectograph:wrong-origin') throw error;
    return null;
  } finally {
    clearTimeout(timer);
    forget();
  }
};

/** Why no session of this visitor can begin, or null. A participant of a full study can go on. Whether this visitor is one, the
 * server decides when the session begins. */
export const whyClosed = ({ open, closed_because, is_full = false }: Invitation, settings: Settings): string | null => {
  const { server, study, participant } = settings;
  const isPerhapsKnown = participant !== undefined || linkOf(settings).link !== null || participantOf(server, study) !== undefined;
  if (is_full && !isPerhapsKnown) return closed_because ?? 'this study has all its participants, and nobody new can take part';
  return open || is_full && closed_because === undefined ? null : closed_because ?? 'this study accepts no further session now';
};

type Change = (some: Partial<State>) => void;

/** Asks the visitor, unless this browser remembers the answer. Rejects with the reason if no session can begin. `change`: the
 * recorder's state. `ended` closes the dialog without an answer. */
export const ask = async (settings: Settings, change: Change, ended: AbortSignal): Promise<Answer> => {
  let isOver = false;
  const { server, study } = settings;
  // The visitor withdrew before. The server may not have confirmed the deletion yet.
  if (withdrawnOf(server, study) !== undefined) {
    void background(() => withdrawLater(settings, (problem) => { if (!isOver) change({ problem }); }));
  }
  let answer: Answer | undefined;
  try {
    return answer = await askVisitor(settings, () => change({ phase: 'asking' }), ended);
  } finally {
    isOver = answer !== 'no';
    if (answer === 'no') {
      noteTab(settings, null);
      change({ phase: 'declined' });
    }
  }
};

const withdrawLater = async (settings: Settings, report: (problem: string | null) => void): Promise<void> => {
  const { withdrawLeft } = await load(settings.assets, 'transport.js', () => import('../transport/transport'));
  await withdrawLeft(settings, report);
};

const askVisitor = async (settings: Settings, asking: () => void, ended: AbortSignal): Promise<Answer> => {
  const { server, study, askAgain = false } = settings;
  // A link names a participant. Another one may have answered in this browser.
  const ofLink = linkAnswerOf(settings);
  const before = askAgain ? null : ofLink === undefined ? answerOf(server, study) : ofLink;
  if (before?.answer === 'no') return 'no';
  const invitation = await invited(settings, ended);
  if (ended.aborted) return 'ended';
  const closed = invitation && whyClosed(invitation, settings);
  if (closed !== null) throw new Error(closed);

  if (invitation) obey(settings, invitation);
  const shown = consentText(settings, invitation);
  const text = `${shown.title}\n\n${shown.text}`;
  const text_sha256 = await sha256(text);
  const rules = invitation ? { rules: { mask: invitation.mask, content: invitation.content } } : {};
  /** An agreement to the same text. */
  const earlier = ({ answer, text_sha256: sum, given_utc_ms }: ConsentAnswer): Agreed | null =>
    answer === 'yes' && sum === text_sha256 && given_utc_ms !== undefined ? { given_utc_ms, text, ...rules } : null;
  const remembered = before && earlier(before);
  if (remembered) return remembered;

  asking();
  const elsewhere = new AbortController();
  let answered: Answer = 'ended';
  const stopped = on(ended, 'abort', () => elsewhere.abort());
  // The visitor answers in another tab. With a link it may be another person.
  const forget = ofLink !== undefined ? () => undefined : onAnswer(server, study, (answer) => {
    answered = answer.answer === 'no' ? 'no' : earlier(answer) ?? 'ended';
    if (answered !== 'ended') elsewhere.abort();
  });
  const agreed = await askConsent(shown, elsewhere.signal);
  forget();
  stopped();
  if (agreed === null) return answered;
  const remember = (answer: ConsentAnswer) => {
    rememberAnswer(server, study, answer);
    rememberLinkAnswer(settings, answer);
  };
  if (!agreed) {
    remember({ answer: 'no' });
    return 'no';
  }
  const given_utc_ms = Date.now();
  if (text_sha256 !== null) remember({ answer: 'yes', text_sha256, given_utc_ms });
  return { given_utc_ms, text, ...rules };
};
