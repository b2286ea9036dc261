// SHA-256 checksums.

/** In hexadecimal. Null if the browser computes no checksums, as on pages without https. */
export const sha256 = async (bytes: BufferSource): Promise<string | null> => {
  if (!globalThis.crypto?.subtle) return null;
  const sum = await crypto.subtle.digest('SHA-256', bytes);
  let digits = '';
  for (const byte of new Uint8Array(sum)) digits += (byte < 16 ? '0' : '') + byte.toString(16);
  return digits;
};
