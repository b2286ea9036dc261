/** `localStorage`, if the page may use it. */
export const shelf = (): Storage | null => {
  try {
    return localStorage;
  } catch {
    return null;
  }
};
