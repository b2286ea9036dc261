// The checksum of the consent text, for the session's header.

import { sha256 as sumOf } from '../checksum';

/** Null if the browser computes no checksums. */
export const sha256 = (text: string): Promise<string | null> => sumOf(new TextEncoder().encode(text));
