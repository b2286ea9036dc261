/** The version of this library, which it sends to the server. A test compares it with package.json. */
export const VERSION = '0.1.0';
