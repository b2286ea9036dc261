// Filters the events of rrweb before they are stored. Each event is built again from the parts that are layout or the
// page's own text. Everything else is removed, also what a later version of rrweb may add.
//
// The privacy policy of the event sources decides. This file only determines where to apply it.

import type { Masking } from '../capture/privacy';
import { starred } from '../capture/private-words';
import { type Attributes, keptAttribute } from './attributes';
import { quietStyle, quietValue } from './styles';

/** rrweb's table of nodes and their numbers. */
export interface Mirror { getNode(id: number): Node | null }

type Json = Record<string, unknown>;
interface RrwebEvent extends Json { type: number; timestamp: number; data: Json }

const EVENT = { loaded: 0, load: 1, full: 2, incremental: 3, meta: 4 } as const;
const NODE = { document: 0, doctype: 1, element: 2, text: 3 } as const;
const SOURCE = {
  mutation: 0, mouseMove: 1, mouseInteraction: 2, scroll: 3, resize: 4, input: 5, touchMove: 6, media: 7, rule: 8, drag: 12,
  declaration: 13, adopted: 15, element: 16,
} as const;
/** The fields of events that contain only numbers. */
const NUMBERS: Record<number, readonly string[]> = {
  [SOURCE.mouseInteraction]: ['type', 'id', 'x', 'y', 'pointerType'],
  [SOURCE.scroll]: ['id', 'x', 'y'],
  [SOURCE.resize]: ['width', 'height'],
  [SOURCE.media]: ['type', 'id', 'currentTime', 'volume', 'muted', 'loop', 'playbackRate'],
};
const MOVES: readonly number[] = [SOURCE.mouseMove, SOURCE.touchMove, SOURCE.drag];
/** Elements whose text is not visible on the page. */
const INVISIBLE = new Set(['title', 'script', 'noscript', 'template', 'datalist', 'object', 'embed', 'audio', 'video', 'canvas',
  'iframe', 'frame', 'meta', 'base', 'desc', 'metadata']);
/** Types of fields whose value is visible and not typed. */
const SHOWN = new Set(['button', 'submit', 'reset', 'range']);
/** The parts of a divided word are searched in this many characters on each side. */
const NEIGHBOURHOOD = 60;

const isElement = (node: Node | null): node is Element => node?.nodeType === 1;
const numbers = (data: Json, names: readonly string[]): Json => {
  const kept: Json = {};
  for (const name of names) if (typeof data[name] === 'number' || typeof data[name] === 'boolean') kept[name] = data[name];
  return kept;
};
const asList = (value: unknown): Json[] => (Array.isArray(value) ? value as Json[] : []);
const asNumbers = (value: unknown): number | number[] | undefined =>
  typeof value === 'number' ? value : Array.isArray(value) ? value.filter((n): n is number => typeof n === 'number') : undefined;

/** The part of an rrweb event that may be stored, or null. */
export const replayFilter = (masks: Masking, mirror: Mirror) => {
  const isPrivate = (element: Element | null): boolean => !element || masks.isPrivate(element);
  const outer = (node: Node | null): Element | null => {
    const parent = node?.parentNode ?? null;
    return isElement(parent) ? parent : parent instanceof ShadowRoot || parent && 'host' in parent ? (parent as ShadowRoot).host : null;
  };

  /** The text as it may be stored. `isBelow`: it is in a private element. */
  const textOf = (text: string, live: Node | null, isBelow: boolean): string => {
    const parent = outer(live);
    if (!/\S/.test(text)) return text;
    const tag = parent?.localName ?? '';
    if (tag === 'style') return isBelow ? '' : quietStyle(text, masks);
    if (!parent || INVISIBLE.has(tag)) return '';
    if (isBelow) return starred(text);
    if (masks.privateWords.reveals(text)) {
      if (parent.childElementCount === 0) masks.keepPrivate(parent); // the page writes typed text into this element
      return starred(text);
    }
    if (masks.privateWords.isPartOfWord(text) && spells(live)) return starred(text);
    masks.privateWords.addPageText(text);
    return text;
  };
  /** Whether the text and its neighbours together reveal a word, for example with each letter in an element of its own. */
  const spells = (text: Node | null): boolean => {
    const beside = (step: 'previousSibling' | 'nextSibling'): string => {
      let found = '';
      for (let at: Node | null = text, level = 0; at && level < 4 && found.length < NEIGHBOURHOOD; at = at.parentNode, level++) {
        for (let next = at[step]; next && found.length < NEIGHBOURHOOD; next = next[step]) {
          const more = next.nodeType === 8 ? '' : next.textContent ?? '';
          found = step === 'nextSibling' ? found + more.slice(0, NEIGHBOURHOOD) : more.slice(-NEIGHBOURHOOD) + found;
        }
      }
      return found;
    };
    return masks.privateWords.reveals(beside('previousSibling') + (text?.textContent ?? '') + beside('nextSibling'));
  };

  const attributes = (given: unknown, element: Element | null, tag: string, isOpen: boolean): Attributes => {
    const kept: Attributes = {};
    for (const [name, value] of Object.entries((given ?? {}) as Attributes)) {
      const redacted = name === 'value' && typeof value === 'string' && showsValue(element)
        ? isOpen ? masks.redacted(value) : starred(value) : keptAttribute(tag, name, value, isOpen, masks);
      if (redacted !== undefined) kept[name] = redacted;
    }
    return kept;
  };
  /** Buttons and sliders show their value. */
  const showsValue = (element: Element | null): boolean =>
    element?.localName === 'input' ? SHOWN.has((element as HTMLInputElement).type)
      : element?.localName === 'progress' || element?.localName === 'li';

  const node = (given: Json, isBelow: boolean): Json | null => {
    const { type, id, rootId } = given;
    const kept: Json = { type, id };
    if (rootId !== undefined) kept['rootId'] = rootId;
    if (given['isShadow'] === true) kept['isShadow'] = true;
    const live = typeof id === 'number' ? mirror.getNode(id) : null;
    switch (type) {
      case NODE.document: {
        if (typeof given['compatMode'] === 'string') kept['compatMode'] = given['compatMode'];
        kept['childNodes'] = children(given, isBelow || masks.isPrivate(frameOf(live)));
        return kept;
      }
      case NODE.doctype:
        return { ...kept, name: 'html', publicId: '', systemId: '' };
      case NODE.element: {
        const tag = String(given['tagName']);
        const element = isElement(live) ? live : null;
        const isHere = isBelow || !element || masks.isPrivatePlace(element);
        Object.assign(kept, { tagName: tag, attributes: attributes(given['attributes'], element, tag, !isHere) });
        for (const name of ['isSVG', 'isShadowHost', 'isCustom', 'needBlock']) if (given[name] === true) kept[name] = true;
        kept['childNodes'] = children(given, isHere);
        return kept;
      }
      case NODE.text: {
        const text = { ...kept, textContent: textOf(String(given['textContent']), live, isBelow) };
        return given['isStyle'] === true ? { ...text, isStyle: true } : text;
      }
      default:
        // Comments and other nodes keep their number, because other nodes refer to it.
        return { ...kept, textContent: '' };
    }
  };
  const children = (given: Json, isBelow: boolean): Json[] =>
    asList(given['childNodes']).map((child) => node(child, isBelow)).filter((child) => child !== null);
  const frameOf = (live: Node | null): Element | null => {
    try {
      return live?.nodeType === 9 ? (live as Document).defaultView?.frameElement ?? null : null;
    } catch {
      return null;
    }
  };

  const mutation = (data: Json): Json => ({
    source: SOURCE.mutation,
    ...(data['isAttachIframe'] === true ? { isAttachIframe: true } : {}),
    removes: asList(data['removes']).map((r) => ({ ...numbers(r, ['parentId', 'id']), ...(r['isShadow'] === true ? { isShadow: true } : {}) })),
    adds: asList(data['adds']).map(({ parentId, previousId, nextId, node: added }) => {
      const parent = mirror.getNode(Number(parentId));
      const isBelow = isElement(parent) ? isPrivate(parent) : parent?.nodeType === 9 ? masks.isPrivate(frameOf(parent)) : true;
      return { parentId, ...(previousId === undefined ? {} : { previousId }), nextId, node: node(added as Json, isBelow) };
    }),
    texts: asList(data['texts']).map(({ id, value }) => {
      const live = mirror.getNode(Number(id));
      return { id, value: typeof value === 'string' ? textOf(value, live, isPrivate(outer(live))) : null };
    }),
    attributes: asList(data['attributes']).map(({ id, attributes: changed }) => {
      const live = mirror.getNode(Number(id));
      const element = isElement(live) ? live : null;
      return { id, attributes: attributes(changed, element, element?.localName ?? '', !isPrivate(element)) };
    }),
  });

  const rules = (given: unknown): Json[] => asList(given).map(({ rule, index }) =>
    ({ rule: quietStyle(String(rule), masks), ...(index === undefined ? {} : { index: asNumbers(index) }) }));

  const incremental = (data: Json): Json | null => {
    const source = Number(data['source']);
    if (MOVES.includes(source)) {
      return { source, positions: asList(data['positions']).map((p) => numbers(p, ['x', 'y', 'id', 'timeOffset'])) };
    }
    if (NUMBERS[source]) return { source, ...numbers(data, NUMBERS[source]) };
    switch (source) {
      case SOURCE.mutation:
        return mutation(data);
      case SOURCE.input: {
        const live = mirror.getNode(Number(data['id']));
        const isOpen = isElement(live) && !isPrivate(live);
        const isSlider = isOpen && live.localName === 'input' && (live as HTMLInputElement).type === 'range';
        const text = String(data['text'] ?? '');
        return { source, id: data['id'], text: isSlider ? (live as HTMLInputElement).value : starred(text), isChecked: isOpen && data['isChecked'] === true };
      }
      case SOURCE.rule:
        return {
          source, ...numbers(data, ['id', 'styleId']),
          ...(data['adds'] ? { adds: rules(data['adds']) } : {}),
          ...(data['removes'] ? { removes: asList(data['removes']).map(({ index }) => ({ index: asNumbers(index) })) } : {}),
          ...(typeof data['replace'] === 'string' ? { replace: quietStyle(data['replace'], masks) } : {}),
          ...(typeof data['replaceSync'] === 'string' ? { replaceSync: quietStyle(data['replaceSync'], masks) } : {}),
        };
      case SOURCE.declaration: {
        const set = data['set'] as Json | undefined;
        const remove = data['remove'] as Json | undefined;
        const property = String(set?.['property'] ?? remove?.['property']);
        return {
          source, ...numbers(data, ['id', 'styleId']), index: asNumbers(data['index']),
          ...(set ? { set: { property, value: set['value'] == null ? null : quietValue(property, String(set['value']), masks),
            ...(set['priority'] === 'important' ? { priority: 'important' } : {}) } } : { remove: { property } }),
        };
      }
      case SOURCE.adopted:
        return {
          source, id: data['id'], styleIds: asNumbers(data['styleIds']),
          ...(data['styles'] ? { styles: asList(data['styles']).map(({ styleId, rules: all }) => ({ styleId, rules: rules(all) })) } : {}),
        };
      case SOURCE.element: {
        const name = String((data['define'] as Json | undefined)?.['name'] ?? '');
        return masks.privateWords.reveals(name) ? null : { source, define: { name } };
      }
      default:
        return null; // canvas, fonts, the console's log and selections contain text, or pictures of it
    }
  };

  return (event: RrwebEvent): RrwebEvent | null => {
    const { type, timestamp, data } = event;
    switch (type) {
      case EVENT.loaded:
      case EVENT.load:
        return { type, timestamp, data: {} };
      case EVENT.meta:
        return { type, timestamp, data: { href: masks.here(), ...numbers(data, ['width', 'height']) } };
      case EVENT.full: {
        const offset = data['initialOffset'] as Json | undefined;
        return { type, timestamp, data: { node: node(data['node'] as Json, false), initialOffset: numbers(offset ?? {}, ['left', 'top']) } };
      }
      case EVENT.incremental: {
        const kept = incremental(data);
        return kept && { type, timestamp, data: kept };
      }
      default:
        return null;
    }
  };
};
