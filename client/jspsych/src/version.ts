/** The version of this extension. A test compares it with package.json. */
export const VERSION = '0.1.0';
