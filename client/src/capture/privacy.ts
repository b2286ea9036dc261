// What must not be known. Decided at the source: what is masked never gets as far as a queue.

import { indexOf, lowerCase, memory, stringify, trim } from '../natives/js';
import {
  MutationObserver, attribute, contentOf, inputType, inputValue, isArea, isEditable, isElement, isHtml, isInput, matches, nameOf,
  openRootOf, page, styleOf, styleValue, trySelector,
} from '../natives/dom';
import { up } from './selector';
import { text } from './text';

/** Where typed text may be kept. */
export type Content = 'everywhere' | readonly string[];

const LABEL = 40;
const TYPES = {
  __proto__: null, subtree: true, attributeFilter: ['type'], attributeOldValue: true,
} as MutationObserverInit;
const TEXT_TYPES = ',text,search,url,tel,email,number,password,';
/** Choices whose values are the page's own words, not the participant's. */
const CHOICE_TYPES = ',checkbox,radio,range,button,submit,reset,image,';
/** In `autocomplete`: what the standard calls a secret. */
const SECRET_HINTS = ['cc-', 'one-time-code', 'password', 'transaction-'];
/** In `name`, `id` and `aria-label`, without what separates words: what payment pages call theirs. */
const PAYMENT_WORDS = [
  'cardnumber', 'cardno', 'cardnum', 'ccnumber', 'ccnum', 'creditcard', 'debitcard', 'kreditkarte', 'kartennummer',
  'cvc', 'cvv', 'securitycode', 'cardexp', 'ccexp', 'expirydate', 'expirationdate', 'iban', 'accountnumber', 'kontonummer',
  'sortcode', 'routingnumber', 'password', 'passwort', 'passcode',
];
// Elements that can have the keyboard focus of their own. Keys that go to any other element go to something inside a
// closed shadow root, of which nothing can be known.
const FOCUSABLE = 'html,body,a,area,button,input,select,textarea,summary,video,audio,iframe,embed,object,dialog,'
  + '[tabindex],[contenteditable]';
// Buttons and links are named by their text, everything else by its selector alone.
const CLICKABLE = 'a[href],button,summary,[role=button],[role=link],input[type=button],input[type=submit],input[type=reset]';

const contains = (hay: string, needles: readonly string[]): boolean => {
  for (let i = 0; i < needles.length; i++) if (indexOf(hay, needles[i]!) >= 0) return true;
  return false;
};
const squeeze = (s: string): string => {
  const lower = lowerCase(s);
  let out = '';
  for (let i = 0; i < lower.length && i < 200; i++) {
    const c = lower[i]!;
    if (c !== '-' && c !== '_' && c !== ' ' && c !== '.' && c !== '[' && c !== ']') out += c;
  }
  return out;
};

export const isEditableElement = (node: unknown): node is HTMLElement =>
  isHtml(node) && isEditable(node);

export const isTextField = (node: unknown): boolean =>
  isArea(node)
  || isInput(node) && indexOf(TEXT_TYPES, ',' + inputType(node) + ',') >= 0
  || isEditableElement(node);

export interface Masking {
  /** Nothing but that something happened. */
  isMasked(node: unknown): boolean;
  /** The same for keys, which also reveal what cannot be seen. */
  isTypingMasked(node: unknown): boolean;
  /** Whether the participant's own words in it may be kept. */
  isContentAllowed(node: unknown): boolean;
  isChoice(node: unknown): boolean;
  /** Remembers that a field holds a secret, so that "show password" does not reveal it. */
  look(element: Element): void;
  label(node: unknown): string | undefined;
  /** What is wrong with the selectors it was given. */
  problem: string;
  /** Looks after the secrets of a frame's document too. */
  watch(document: Document): void;
  stop(): void;
}

/** Selectors joined; `invalid` names those that this browser cannot read. */
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

export const masking = (mask: readonly string[], content: Content): Masking => {
  const masks = join(mask);
  // A mask that cannot be read hides everything rather than nothing.
  const masksAll = masks.invalid !== '';
  const allowed = content === 'everywhere' ? null : join(content);
  let problem = '';
  if (masksAll) problem = 'mask selector ' + masks.invalid + ' is not valid CSS, so everything is masked';
  else if (allowed?.invalid) problem = 'content selector ' + allowed.invalid + ' is not valid CSS and allows nothing';

  const secrets = memory<true>();
  const isSecret = (element: Element): boolean => {
    if (secrets.has(element)) return true;
    let secret = false;
    if (isInput(element) && inputType(element) === 'password') secret = true;
    if (contains(lowerCase(attribute(element, 'autocomplete') ?? ''), SECRET_HINTS)) secret = true;
    if (isTextField(element)) {
      const names = (attribute(element, 'name') ?? '') + '\n' + (attribute(element, 'id') ?? '')
        + '\n' + (attribute(element, 'aria-label') ?? '');
      if (contains(squeeze(names), PAYMENT_WORDS)) secret = true;
    }
    if (secret) secrets.set(element, true); // "show password" turns it into plain text later
    return secret;
  };
  // Turned into plain text before anything happened in it: still a password.
  const watch = new MutationObserver((changes) => {
    for (let i = 0; i < changes.length; i++) {
      if (lowerCase(changes[i]!.oldValue ?? '') === 'password') secrets.set(changes[i]!.target, true);
    }
  });
  const disconnect = watch.disconnect.bind(watch);
  const observe = watch.observe.bind(watch);
  const watchToo = (document: Document) => observe(document, TYPES);
  watchToo(page);

  const isDotted = (element: Element) => {
    const security = styleValue(styleOf(element), '-webkit-text-security');
    return security !== '' && security !== 'none';
  };
  const isOpaque = (element: Element) =>
    !matches(element, FOCUSABLE) && !isEditableElement(element)
    || indexOf(nameOf(element), '-') > 0 && !openRootOf(element) && !isEditableElement(element);
  const isWithin = (node: Element, selectors: string): boolean => {
    for (let e: Node | null = node; isElement(e); e = up(e)) if (matches(e, selectors)) return true;
    return false;
  };
  const isMasked = (node: unknown): boolean => {
    if (!isElement(node)) return masksAll;
    if (masksAll || isSecret(node)) return true;
    return masks.all !== '' && isWithin(node, masks.all);
  };
  return {
    __proto__: null,
    isMasked,
    isTypingMasked: (node: unknown) => isMasked(node) || isElement(node) && (isOpaque(node) || isDotted(node)),
    isContentAllowed: (node: unknown) =>
      !allowed || isElement(node) && allowed.all !== '' && isWithin(node, allowed.all),
    isChoice: (node: unknown) => isElement(node) && (!isInput(node)
      || indexOf(CHOICE_TYPES, ',' + inputType(node) + ',') >= 0),
    look: (element: Element) => { isSecret(element); },
    label: (node: unknown) => {
      let e: unknown = node;
      for (let k = 0; isElement(e) && k < 4; e = up(e), k++) {
        if (!matches(e, CLICKABLE)) continue;
        if (isMasked(node) || isMasked(e)) return undefined;
        const words = trim((isInput(e) ? inputValue(e) : contentOf(e)) ?? '');
        return words ? text(words, LABEL) : undefined;
      }
      return undefined;
    },
    problem,
    watch: watchToo,
    stop: disconnect,
  } as unknown as Masking;
};
