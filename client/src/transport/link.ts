// The identifier in a recruiting link: `?participant=…`, put there by Prolific, SONA or SurveyMonkey. The server stores only a
// keyed hash of it. This tab remembers it, because a later page of the site has another address.

import type { Settings } from '../options';

const PARAMETER = 'participant';
const MOST_CHARS = 200;

const linkKey = (server: string, study: string) => `affectograph.link.${server}.${study}`;

/** Whether the identifier of this tab is new, and the identifier. A site that names its participants itself has none. */
export const linkOf = ({ server, study, participant }: Settings): { link: string | null; isNew: boolean } => {
  if (participant !== undefined) return { link: null, isNew: false };
  let kept: string | null = null;
  const given = new URLSearchParams(location.search).get(PARAMETER)?.trim() || null;
  const link = given && given.length <= MOST_CHARS ? given : null;
  try {
    kept = sessionStorage.getItem(linkKey(server, study));
    if (link !== null) sessionStorage.setItem(linkKey(server, study), link);
  } catch {
    // Without it only the page with the link knows the identifier.
  }
  return { link: link ?? kept, isNew: link !== null && link !== kept };
};
