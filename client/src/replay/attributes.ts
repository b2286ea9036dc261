// The attributes that a replay keeps: those that determine the layout. All others are removed, because pages often write
// typed text into `title`, `value`, `placeholder`, `aria-label` or `data-…`.

import type { Masking } from '../capture/privacy';
import { quietStyle, quietValue, shownAddress } from './styles';

export type Attributes = Record<string, unknown>;

const list = (names: string): Set<string> => new Set(names.trim().split(/\s+/));

/** Kept unchanged: they contain a size, a position, a colour, or a keyword of the standard. */
const LAYOUT = list(`
  width height colspan rowspan span align valign bgcolor border cellpadding cellspacing nowrap clear hspace vspace face
  dir lang hidden open disabled readonly required multiple checked size rows cols wrap type role tabindex contenteditable
  draggable autofocus controls loop muted autoplay playsinline rel media sizes as method enctype start reversed
  popover inert spellcheck slot part max min step low high optimum maxlength minlength color clip text
  aria-hidden aria-expanded aria-checked aria-selected aria-disabled aria-pressed aria-current aria-busy aria-invalid
  aria-haspopup aria-orientation aria-modal aria-sort aria-readonly aria-required aria-level aria-multiselectable aria-live
  xmlns xmlns:xlink version viewbox preserveaspectratio d x y z cx cy r rx ry x1 y1 x2 y2 dx dy fx fy points transform
  pathlength offset fill fill-opacity fill-rule clip-rule clip-path clippathunits mask maskunits maskcontentunits filter
  filterunits primitiveunits stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray stroke-dashoffset
  stroke-opacity stroke-miterlimit opacity visibility display overflow stop-color stop-opacity gradientunits
  gradienttransform spreadmethod patternunits patterntransform patterncontentunits font-family font-size font-weight
  font-style text-anchor dominant-baseline alignment-baseline baseline-shift letter-spacing word-spacing vector-effect
  marker-start marker-mid marker-end markerwidth markerheight markerunits orient refx refy paint-order rotate textlength
  lengthadjust stddeviation in in2 result mode operator k1 k2 k3 k4 basefrequency numoctaves seed scale xchannelselector
  ychannelselector flood-color flood-opacity lighting-color edgemode begin dur end repeatcount attributename calcmode
  keytimes keysplines additive accumulate
  rr_width rr_height rr_scrollleft rr_scrolltop rr_mediastate rr_mediacurrenttime rr_mediaplaybackrate rr_mediamuted
  rr_medialoop rr_mediavolume rr_open_mode`);
const ADDRESSES = list('src href action formaction poster data background xlink:href rr_src cite longdesc manifest');
/** The page's own names for its elements, which its styles need. */
const NAMES = list('id class for is');
/** Values of `data-…` attributes that styles use. */
const STATES = new Set(['', ...list(`true false open closed opened close on off yes no none auto dark light active inactive visible hidden shown
  show hide top bottom left right start end center middle horizontal vertical xs sm md lg xl xxl small medium large checked
  unchecked selected expanded collapsed loading loaded idle disabled enabled ltr rtl row column primary secondary`)]);
const MOST = 2000;

/** The value of an attribute that may be kept, or `undefined`. `isOpen`: its element is not masked. */
export const keptAttribute = (
  tag: string, name: string, value: unknown, isOpen: boolean, masks: Masking,
): unknown => {
  const key = name.toLowerCase();
  // The attribute was removed.
  if (value === null) return key.length < 40 && !masks.privateWords.reveals(key) ? null : undefined;
  if (key === '_csstext') return isOpen && typeof value === 'string' ? quietStyle(value, masks) : '';
  if (key === 'style') return isOpen ? keptStyle(value, masks) : undefined;
  if (typeof value !== 'string') return LAYOUT.has(key) ? value : undefined;
  if (key === 'class') {
    return value.split(/\s+/).filter((name) => name.length < 200 && !masks.privateWords.reveals(name)).join(' ');
  }
  if (NAMES.has(key)) return value.length < 200 && !masks.privateWords.reveals(value) ? value : undefined;
  if (key === 'type' && value.toLowerCase() === 'password') return value;
  if (LAYOUT.has(key)) return value.length <= (key === 'd' || key === 'points' ? 1e6 : MOST) && !revealsWord(value, masks) ? value : undefined;
  if (!isOpen) return undefined;
  if (ADDRESSES.has(key)) return tag === 'iframe' && key === 'src' ? masks.redactedAddress(value) : shownAddress(value, masks);
  if (key === 'srcset' || key === 'imagesrcset') return keptSources(value, masks);
  if (key.startsWith('data-')) return STATES.has(value.toLowerCase()) && !masks.privateWords.reveals(key) ? value : undefined;
  return undefined;
};

const revealsWord = (value: string, masks: Masking): boolean => /\p{L}{3}/u.test(value) && masks.privateWords.reveals(value);

/** `a.png 1x, b.png?k=1 2x`. Data addresses contain commas and are removed. */
const keptSources = (value: string, masks: Masking): string | undefined => {
  if (/data:/i.test(value)) return undefined;
  return value.split(',').map((source) => {
    const [url = '', size = ''] = source.trim().split(/\s+/);
    return `${shownAddress(url, masks)} ${/^[\d.]+[wxh]$/.test(size) ? size : ''}`.trim();
  }).join(', ');
};

/** A style as text, or as the properties that changed. */
const keptStyle = (value: unknown, masks: Masking): unknown => {
  if (typeof value === 'string') return quietStyle(value, masks);
  if (typeof value !== 'object' || value === null) return undefined;
  const kept: Attributes = {};
  for (const [property, changed] of Object.entries(value as Attributes)) {
    if (changed === false) kept[property] = false;
    else if (typeof changed === 'string') kept[property] = quietValue(property, changed, masks);
    else if (Array.isArray(changed)) kept[property] = [quietValue(property, String(changed[0]), masks), changed[1] === 'important' ? 'important' : ''];
  }
  return kept;
};
