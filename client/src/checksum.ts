// SHA-256 checksums.

/** In hexadecimal. Null if the browser computes no checksums, as on pages without https. */
export const sha256 = async (bytes: BufferSource): Promise<string | null> => {
  if (!globalThis.crypto?.subtle) return null;
  const sum = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('');
};
