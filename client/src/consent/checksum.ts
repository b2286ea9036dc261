// Which words were agreed to, for the session's header.

import { sha256 as sumOf } from '../checksum';

/** The same words give the same sum. Null where the browser has none. */
export const sha256 = (text: string): Promise<string | null> => sumOf(new TextEncoder().encode(text));
