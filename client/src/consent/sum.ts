// Which words were agreed to, for the session's header.

/** What was agreed to, for the session's header: the same words give the same sum. Null where the browser has none. */
export const sha256 = async (text: string): Promise<string | null> => {
  if (!globalThis.crypto?.subtle) return null; // pages without https
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('');
};
