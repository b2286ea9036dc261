// Removes text from style sheets. A sheet can contain text in `content` and in custom properties, and keys in addresses.

import type { Masking } from '../capture/privacy';
import { starred } from '../capture/private-words';

/** Pictures in data addresses are kept up to this size: icons, but not photographs and screenshots. */
const ICON_BYTES = 10_000;
const PICTURE = /^data:image\/(png|gif|webp|jpeg|avif|x-icon)[;,]/i;
const DRAWING = /^data:image\/svg\+xml[;,]/i;
const NOTHING = 'data:,';

/** The address of a visible resource as it may be stored. */
export const shownAddress = (url: string, masks: Masking): string => {
  const trimmed = url.trim();
  if (!/^data:/i.test(trimmed)) return masks.redactedAddress(trimmed);
  if (trimmed.length > ICON_BYTES) return NOTHING;
  if (PICTURE.test(trimmed)) return trimmed;
  return DRAWING.test(trimmed) && !saysSomething(trimmed) ? trimmed : NOTHING;
};

/** Whether an SVG contains text, a name or a description, a script or another address. */
const saysSomething = (drawing: string): boolean => {
  const comma = drawing.indexOf(',');
  let source = drawing.slice(comma + 1);
  try {
    source = /;base64/i.test(drawing.slice(0, comma)) ? atob(source) : decodeURIComponent(source);
  } catch {
    return true;
  }
  return /<(text|tspan|title|desc|foreignobject|script|style|image|a|metadata)\b|<!--|data-|aria-|href/i.test(source);
};

const STRING = /url\("[^"]*"\)|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/g;
const ADDRESS = /url\(\s*(?:"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|([^)"']*))\s*\)/gi;
/** Declarations whose strings can be visible. A single symbol is kept. Letters are replaced with stars. */
const SPEAKING = /((?:^|[;{\s])(?:content|quotes|--[\w-]+|list-style(?:-type)?|text-overflow|hyphenate-character|alt)\s*:)((?:"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|[^;{}"'])*)/gi;

const quiet = (value: string, masks: Masking): string => value.replace(STRING, (string) => {
  if (string.startsWith('url')) return string;
  const content = string.slice(1, -1);
  const isSign = !/[\p{L}\p{N}]{2}/u.test(content.replace(/\\[0-9a-f]{1,6}\s?/gi, '')) && !masks.privateWords.reveals(unescaped(content));
  return isSign && content.length <= 24 ? string : string[0] + starred(content.replace(/\\[^]?/g, '*')) + string[0];
});
const unescaped = (css: string): string => css.replace(/\\([0-9a-f]{1,6})\s?/gi, (_, hex: string) => {
  const code = parseInt(hex, 16);
  return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : '';
});

/** One value of a declaration. */
export const quietValue = (property: string, value: string, masks: Masking): string => {
  const known = quietAddresses(value, masks);
  if (!/^(content|quotes|--.*|list-style.*|text-overflow|hyphenate-character)$/i.test(property)) return known;
  // A custom property can contain text without quotes.
  return property.startsWith('--') && masks.privateWords.reveals(known) ? '' : quiet(known, masks);
};

const quietAddresses = (css: string, masks: Masking): string => css.replace(ADDRESS, (_, a?: string, b?: string, c?: string) =>
  `url("${shownAddress(unescaped(a ?? b ?? c ?? ''), masks).replace(/["\\\n]/g, '')}")`);

/** A sheet, a rule, or the value of a `style` attribute. */
export const quietStyle = (css: string, masks: Masking): string => {
  // Comments can contain text and have no effect. rrweb's own marks between parts of a sheet are kept.
  const plain = css.replace(/\/\*(?! ?rr_split ?\*\/)[^]*?(?:\*\/|$)/g, '');
  const addressed = quietAddresses(plain, masks)
    .replace(/@import\s+("|')(.*?)\1/gi, (_, quote: string, url: string) => `@import ${quote}${masks.redactedAddress(url)}${quote}`);
  return addressed
    .replace(SPEAKING, (_, name: string, value: string) => name + (/--[\w-]+\s*:$/.test(name) && masks.privateWords.reveals(value)
      ? '' : quiet(value, masks)))
    // Selectors can contain the value of a field.
    .replace(/\[\s*(?:value|title|alt|placeholder|aria-[\w-]+|data-[\w-]+|href|src)\s*[~|^$*]?=[^\]]*\]/gi,
      (selector) => (masks.privateWords.reveals(selector) ? '[hidden-value]' : selector));
};
