/** Of this library, as it tells the server; the same as in package.json, which a test checks. */
export const VERSION = '0.1.0';
