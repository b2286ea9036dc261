// The identifier in a recruiting link: `?participant=…`, put there by Prolific, SONA or SurveyMonkey. The server stores only a
// keyed hash of it. After consent this tab remembers it, because a later page of the site has another address.

import type { Settings } from '../options';

const PARAMETER = 'participant';
const MOST_CHARS = 200;

export const linkKey = ({ server, study }: Settings) => `affectograph.link.${server}.${study}`;

/** Whether the identifier of this tab is new, and the identifier. A site that names its participants itself has none. */
export const linkOf = (settings: Settings): { link: string | null; isNew: boolean } => {
  if (settings.participant !== undefined) return { link: null, isNew: false };
  let kept: string | null = null;
  // The page may change its address later.
  const given = settings.link ??= new URLSearchParams(location.search).get(PARAMETER)?.trim() ?? '';
  const link = given && given.length <= MOST_CHARS ? given : null;
  try {
    kept = sessionStorage.getItem(linkKey(settings));
  } catch {
    // Without it only the page with the link knows the identifier.
  }
  return { link: link ?? kept, isNew: link !== null && link !== kept };
};
