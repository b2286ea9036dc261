// The privacy policy: what may be recorded of elements, typed text, addresses and the page's text. The event sources, the
// emitter of events and the page's replay all use it. Masked data are removed here, before any queue.

import { indexOf, lowerCase, memory, slice, stringify, trim } from '../natives/js';
import {
  MutationObserver, attribute, contentOf, cssEscape, idOf, inputType, inputValue, isArea, isDocument, isEditable,
  isElement, isHtml, isInput, isSelect, matches, nameOf, now, openRootOf, page, place, styleOf, styleValue, trySelector,
} from '../natives/dom';
import { allBeside, allOf, anyIn, byId } from '../natives/fields';
import { decoded, pieces } from '../natives/strings';
import type { Body } from './emit';
import { isPayment } from './payment';
import { up } from './selector';
import { address, text, withAddresses } from './text';
import { type PrivateWords, privateWords, starred } from './private-words';

/** The fields whose typed text may be kept. */
export type Content = 'everywhere' | readonly string[];

const LABEL = 40;
const TYPES = {
  __proto__: null, subtree: true, attributeFilter: ['type'], attributeOldValue: true,
} as MutationObserverInit;
const TEXT_TYPES = ',text,search,url,tel,email,number,password,';
/** Choices whose values are the page's text, not the participant's. */
const CHOICE_TYPES = ',checkbox,radio,range,button,submit,reset,image,';
/** Values of `autocomplete` that mean a secret, in the HTML standard. */
const SECRET_HINTS = ['cc-', 'one-time-code', 'password', 'transaction-'];
// Elements that can have the keyboard focus. A key event at any other element belongs to an element in a closed shadow
// root, which cannot be inspected.
const FOCUSABLE = 'html,body,a,area,button,input,select,textarea,summary,video,audio,iframe,embed,object,dialog,'
  + '[tabindex],[contenteditable]';
// Only buttons and links are recorded with their text. Other elements are recorded by their selector.
const CLICKABLE = 'a[href],button,summary,[role=button],[role=link],input[type=button],input[type=submit],input[type=reset]';
/** Elements that show the participant's text, or that are shown in place of other content. */
const PARTICIPANT_TEXT = 'textarea,output,meter,progress,datalist,[contenteditable]:not([contenteditable=false]),[role=textbox],'
  + '[role=searchbox],[role=combobox]:not(select)';
/** Fields that are not filled in by people but can contain keys. */
const HIDDEN = 'input[type=hidden]';
const FIELDS = 'input,textarea,select,[contenteditable]';
/** Attributes that name a field. */
const NAMES = ['name', 'id', 'aria-label', 'placeholder', 'title'];
const NAMED = '[id],[data-testid]';
const LEARN_INTERVAL_MS = 1000;
/** Fields of events that contain an address. */
const ADDRESSES = ['url', 'source'];

const contains = (hay: string, needles: readonly string[]): boolean => {
  for (let i = 0; i < needles.length; i++) if (indexOf(hay, needles[i]!) >= 0) return true;
  return false;
};

export const isEditableElement = (node: unknown): node is HTMLElement => isHtml(node) && isEditable(node);

export const isTextField = (node: unknown): boolean =>
  isArea(node) || isInput(node) && indexOf(TEXT_TYPES, ',' + inputType(node) + ',') >= 0 || isEditableElement(node);

export interface Masking {
  /** Whether only the occurrence of an event may be recorded. */
  isMasked(node: unknown): boolean;
  /** The same for keys, which also reveal hidden text. */
  isTypingMasked(node: unknown): boolean;
  /** Whether the participant's text in it may be kept. */
  isContentAllowed(node: unknown): boolean;
  isChoice(node: unknown): boolean;
  /** Remembers that a field holds a secret, so that "show password" does not reveal it. */
  checkSecret(element: Element): void;
  label(node: unknown): string | undefined;
  /** Whether its text is the participant's or masked and may not be kept. The elements around it are not checked. */
  isPrivatePlace(element: Element): boolean;
  /** The same, and all elements around it are checked too, out of frames as well. */
  isPrivate(node: unknown): boolean;
  /** From now on its text is treated as the participant's. */
  keepPrivate(element: Element): void;
  /** Remembers what the participant entered at that element, if it may not be kept. */
  learn(node: unknown, value: string): void;
  learnKey(node: unknown, key: string): void;
  /** Remembers the values of hidden and masked fields, and the page's own text, before text is typed into `node`. */
  learnFromPage(node: unknown): void;
  privateWords: PrivateWords;
  /** A text of the page as it may be recorded: unchanged, or as stars. */
  redacted(value: string): string;
  /** The same for an address. */
  redactedAddress(url: unknown): string;
  /** The same for the fields of an event. Changes `body`. */
  check(body: Body): void;
  /** The page's address. The hash is kept if it names an element of the page. */
  here(): string;
  /** The valid mask selectors, joined. */
  masks: string;
  /** A sentence about invalid selectors, or empty. */
  problem: string;
  /** Observes the secrets of a frame's document too. */
  watch(document: Document): void;
  stop(): void;
}

/** Joins selectors. `invalid` names those that this browser does not accept. */
const join = (selectors: readonly string[]) => {
  let all = '';
  let invalid = '';
  for (let i = 0; i < selectors.length; i++) {
    try {
      trySelector(selectors[i]!);
      all += (all ? ',' : '') + selectors[i]!;
    } catch {
      invalid += (invalid ? ', ' : '') + stringify(selectors[i]!);
    }
  }
  return { __proto__: null, all, invalid };
};

/** All names of a field: in its attributes and its labels. */
const namesOf = (field: Element): string => {
  let names = '';
  const add = (element: Element) => { names += '\n' + slice(contentOf(element) ?? '', 0, 200); };
  const addAll = (selector: string) => {
    const all = allBeside(field, selector);
    for (let i = 0; i < 3 && all[i]; i++) add(all[i]!);
  };
  for (let i = 0; i < NAMES.length; i++) names += '\n' + (attribute(field, NAMES[i]!) ?? '');
  pieces(attribute(field, 'aria-labelledby') ?? '', ' ', (id) => {
    if (id) addAll('#' + cssEscape(id));
    return '';
  });
  const id = idOf(field);
  if (id) addAll('label[for="' + cssEscape(id) + '"]');
  for (let e: Node | null = up(field), k = 0; isElement(e) && k < 4; e = up(e), k++) if (nameOf(e) === 'label') add(e);
  return names;
};

/** The parent element, across shadow roots and frames. */
const around = (node: Node): Node | null => {
  const outer = up(node);
  if (!isDocument(outer)) return outer;
  try {
    return outer.defaultView?.frameElement ?? null;
  } catch {
    return null;
  }
};

export const masking = (mask: readonly string[], content: Content): Masking => {
  const masks = join(mask);
  // An invalid mask selector hides everything, not nothing.
  const masksAll = masks.invalid !== '';
  const allowed = content === 'everywhere' ? null : join(content);
  let problem = '';
  if (masksAll) problem = 'mask selector ' + masks.invalid + ' is not valid CSS, so everything is masked';
  else if (allowed?.invalid) problem = 'content selector ' + allowed.invalid + ' is not valid CSS and allows nothing';

  const secrets = memory<true>();
  const places = memory<true>();
  const known = privateWords();
  const isSecret = (element: Element): boolean => {
    if (secrets.has(element)) return true;
    let secret = false;
    const type = isInput(element) ? inputType(element) : '';
    if (type === 'password') secret = true;
    else if (contains(lowerCase(attribute(element, 'autocomplete') ?? ''), SECRET_HINTS)) secret = true;
    else if ((type ? indexOf(CHOICE_TYPES, ',' + type + ',') < 0 : isSelect(element) || isTextField(element))
      && isPayment(namesOf(element))) secret = true;
    if (secret) secrets.set(element, true); // "show password" can change its type later
    return secret;
  };
  // A field that was a password field before is still secret, also if nothing was typed into it yet.
  const watch = new MutationObserver((changes) => {
    for (let i = 0; i < changes.length; i++) {
      if (lowerCase(changes[i]!.oldValue ?? '') === 'password') secrets.set(changes[i]!.target, true);
    }
  });
  const disconnect = watch.disconnect.bind(watch);
  const observe = watch.observe.bind(watch);
  const watchDocument = (document: Document) => observe(document, TYPES);
  watchDocument(page);

  const isDotted = (element: Element) => {
    const security = styleValue(styleOf(element), '-webkit-text-security');
    return security !== '' && security !== 'none';
  };
  const isOpaque = (element: Element) =>
    !matches(element, FOCUSABLE) && !isEditableElement(element)
    || indexOf(nameOf(element), '-') > 0 && !openRootOf(element) && !isEditableElement(element);
  const isWithin = (node: Element, selectors: string): boolean => {
    for (let e: Node | null = node; isElement(e); e = around(e)) if (matches(e, selectors)) return true;
    return false;
  };
  const isMaskedHere = (element: Element): boolean => masks.all !== '' && matches(element, masks.all);
  const isMasked = (node: unknown): boolean => {
    if (!isElement(node)) return masksAll;
    if (masksAll || isSecret(node)) return true;
    return masks.all !== '' && isWithin(node, masks.all);
  };
  const isTypingMasked = (node: unknown) => isMasked(node) || isElement(node) && (isOpaque(node) || isDotted(node));
  const isContentAllowed = (node: unknown) =>
    !allowed || isElement(node) && allowed.all !== '' && isWithin(node, allowed.all);
  const isKept = (node: unknown) => !isTypingMasked(node) && isContentAllowed(node);
  const isPrivatePlace = (element: Element): boolean => {
    if (masksAll || places.has(element)) return true;
    const isOwn = isMaskedHere(element) || isSecret(element)
      || (isEditableElement(element) || matches(element, PARTICIPANT_TEXT)) && !isContentAllowed(element);
    if (isOwn) places.set(element, true); // it stays private if its class or `contenteditable` is removed
    return isOwn;
  };
  const redacted = (value: string) => (known.reveals(value) ? starred(value) : value);
  const hide = (part: string) => part !== '' && known.reveals(part);
  const redactedPath = (url: string) => pieces(url, '/', (part) => (hide(decoded(part)) ? '***' : part));
  const learnField = (field: Element) => {
    const isHidden = matches(field, HIDDEN);
    const value = isInput(field) ? inputValue(field) : isSelect(field) ? '' : contentOf(field) ?? '';
    // Hidden fields mostly contain the page's own values, such as "en" or "checkout". Keys are long or contain digits.
    if (isHidden && isKey(value)) known.learnWhole(value);
    else if (value && !isHidden && isMasked(field)) known.learn(value, true);
  };
  const addName = (element: Element) => {
    known.addPageText(idOf(element));
    known.addPageText(attribute(element, 'data-testid') ?? '');
  };
  const each = (selectors: string, run: (element: Element) => void) => {
    const all = allOf(page, selectors);
    for (let i = 0; i < 5000; i++) {
      const element = all[i];
      if (!element) return;
      run(element);
    }
  };
  let keyed: unknown;
  let fields_ms = -1e9;
  let learned_ms = -1e9;
  const learnFields = () => {
    const t = now();
    if (t - fields_ms < LEARN_INTERVAL_MS) return;
    fields_ms = t;
    each(FIELDS, learnField);
  };
  const labelOf = (e: Element): string => trim((isInput(e) ? inputValue(e) : contentOf(e)) ?? '');
  return {
    __proto__: null,
    isMasked,
    isTypingMasked,
    isContentAllowed,
    isChoice: (node: unknown) => isElement(node) && (!isInput(node)
      || indexOf(CHOICE_TYPES, ',' + inputType(node) + ',') >= 0),
    checkSecret: (element: Element) => { isSecret(element); },
    label: (node: unknown) => {
      let e: unknown = node;
      for (let k = 0; isElement(e) && k < 4; e = up(e), k++) {
        if (!matches(e, CLICKABLE)) continue;
        if (isMasked(node) || isMasked(e) || isEditableElement(e) && !isContentAllowed(e)) return undefined;
        if (anyIn(e, PARTICIPANT_TEXT) || masks.all !== '' && anyIn(e, masks.all)) return undefined;
        const label = labelOf(e);
        return label ? text(redacted(text(label, LABEL)), LABEL) : undefined;
      }
      return undefined;
    },
    isPrivatePlace,
    isPrivate: (node: unknown) => {
      for (let e: Node | null = isElement(node) ? node : null; isElement(e); e = around(e)) if (isPrivatePlace(e)) return true;
      return masksAll;
    },
    keepPrivate: (element: Element) => { places.set(element, true); },
    learn: (node: unknown, value: string) => {
      if (value !== '' && !isKept(node)) known.learn(value, isElement(node) && isMasked(node));
    },
    learnKey: (node: unknown, key: string) => {
      if (isKept(node)) return;
      known.learnKey(key, node !== keyed);
      keyed = node;
    },
    learnFromPage: (node: unknown) => {
      const t = now();
      if (node && (t - learned_ms < LEARN_INTERVAL_MS || isKept(node))) return;
      learned_ms = t;
      learnFields();
      each(NAMED, addName);
      each(CLICKABLE, (e) => known.addPageText(text(labelOf(e), LABEL)));
    },
    privateWords: known,
    redacted,
    redactedAddress: (url: unknown) => redactedPath(address(url)),
    check: (body: Body) => {
      const { target, message } = body;
      if (typeof target === 'string' && known.reveals(target)) {
        body.target = pieces(target, '>', (step) => (hide(nameIn(step)) ? '***' : step));
      }
      if (typeof message === 'string') {
        learnFields();
        body.message = redacted(withAddresses(message));
      }
      for (let i = 0; i < ADDRESSES.length; i++) {
        const url = body[ADDRESSES[i]!];
        if (typeof url === 'string') body[ADDRESSES[i]!] = redactedPath(url);
      }
    },
    here: () => {
      const { href, hash } = place;
      const name = slice(hash, 1);
      return redactedPath(address(href)) + (name && name.length <= 64 && byId(page, name) && !hide(name) ? hash : '');
    },
    masks: masks.all,
    problem,
    watch: watchDocument,
    stop: disconnect,
  } as unknown as Masking;
};

/** The name in `div#name` and `div[data-testid="name"]`. */
const nameIn = (step: string): string => {
  const id = indexOf(step, '#');
  if (id >= 0) return slice(step, id + 1);
  const test = indexOf(step, '="');
  return test >= 0 ? slice(step, test + 2, step.length - 2) : '';
};

const isKey = (value: string): boolean => {
  if (value.length < 6) return false;
  let digits = 0;
  for (let i = 0; i < value.length && i < 200; i++) if (value[i]! >= '0' && value[i]! <= '9') digits++;
  return digits > 0 || value.length >= 24 || indexOf(value, '@') > 0;
};
