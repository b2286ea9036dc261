// What this tab remembers of a visitor who came with a recruiting link: the identifier as long as there is consent, and the
// answer to the consent dialog. Another person may have answered in the same browser.

import { charCodeAt } from '../natives/js';
import { json } from '../natives/plain';
import type { Settings } from '../options';
import { linkKey, linkOf } from './link';
import { tabItem } from './tab';
import type { ConsentAnswer } from './visitor';

interface LinkAnswer extends ConsentAnswer {
  /** A checksum of the identifier. */
  link: number;
}

const answerKey = ({ server, study }: Settings) => `affectograph.link_answer.${server}.${study}`;

/** One of 65,536 numbers. Many identifiers have the same one, so that nobody can compute the identifier from it. */
const checksum = (link: string): number => {
  let sum = 0x811c9dc5;
  for (let k = 0; k < link.length; k++) sum = Math.imul(sum ^ charCodeAt(link, k), 0x01000193) >>> 0;
  return (sum ^ sum >>> 16) & 0xffff;
};

const read = (settings: Settings) => tabItem<LinkAnswer>(answerKey(settings));

/** The answer of this tab. `undefined`: this tab has no link. Null: the visitor with this link has not answered. */
export const linkAnswerOf = (settings: Settings): ConsentAnswer | null | undefined => {
  const { link } = linkOf(settings);
  const before = read(settings);
  // After a no, a page without the link has no identifier any more. The answer holds there too.
  if (link === null) return before ?? undefined;
  return before?.link === checksum(link) ? before : null;
};

/** Remembers the answer for the link of this tab, and the identifier only with a yes. */
export const rememberLinkAnswer = (settings: Settings, answer: ConsentAnswer): void => {
  const { link } = linkOf(settings);
  const sum = link === null ? read(settings)?.link : checksum(link);
  if (sum === undefined) return;
  try {
    if (answer.answer === 'no') sessionStorage.removeItem(linkKey(settings));
    sessionStorage.setItem(answerKey(settings), json({ ...answer, link: sum }));
    if (answer.answer === 'yes') keepLink(settings);
  } catch {
    // The visitor is asked again.
  }
};

/** Consent was given. Later pages of this tab have the same participant. */
export const keepLink = (settings: Settings): void => {
  const { link } = linkOf(settings);
  if (link === null) return;
  try {
    sessionStorage.setItem(linkKey(settings), link);
  } catch {
    // Only this page knows it.
  }
};
