// What bytes were used, so that others can say whether theirs are the same.

/** In hexadecimal. Null where the browser makes no sums: on pages without https. */
export const sha256 = async (bytes: BufferSource): Promise<string | null> => {
  if (!globalThis.crypto?.subtle) return null;
  const sum = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('');
};
