// The browser's own functions, captured when this file runs: see `js.ts`.

import { getOwnPropertyDescriptor, method } from './js';

const getter = <T extends object, R>(prototype: T, name: keyof T & string) => {
  const get = getOwnPropertyDescriptor(prototype, name)?.get;
  if (!get) throw new Error(`this browser has no ${name}`);
  return method(get as (this: T) => R);
};

export const here = window;
export const page = document;
export const place = location;
export const {
  Element, ErrorEvent, HTMLElement, HTMLInputElement, HTMLSelectElement, HTMLTextAreaElement, MutationObserver,
  ShadowRoot,
} = window;

const { addEventListener, removeEventListener } = EventTarget.prototype;
type Listening = (this: EventTarget, type: string, run: EventListener, options: AddEventListenerOptions) => void;
export const listen = method(addEventListener as Listening);
export const unlisten = method(removeEventListener as Listening);
export const setTimer = setTimeout.bind(window) as (run: () => void, ms: number) => number;
export const now = performance.now.bind(performance);
export const cssEscape = CSS.escape.bind(CSS);
export const styleOf = getComputedStyle.bind(window);
export const styleValue = method(CSSStyleDeclaration.prototype.getPropertyValue);
export const targetOf = getter<Event, EventTarget | null>(Event.prototype, 'target');
export const pathOf = method(Event.prototype.composedPath);
export const keyOf = getter<KeyboardEvent, string>(KeyboardEvent.prototype, 'key');
export const codeOf = getter<KeyboardEvent, string>(KeyboardEvent.prototype, 'code');
export const parentOf = getter<Node, Node | null>(Node.prototype, 'parentNode');
export const contentOf = getter<Node, string | null>(Node.prototype, 'textContent');
export const hostOf = getter<ShadowRoot, Element>(ShadowRoot.prototype, 'host');
export const openRootOf = getter<Element, ShadowRoot | null>(Element.prototype, 'shadowRoot');
export const idOf = getter<Element, string>(Element.prototype, 'id');
export const nameOf = getter<Element, string>(Element.prototype, 'localName');
export const previousOf = getter<Element, Element | null>(Element.prototype, 'previousElementSibling');
export const attribute = method(Element.prototype.getAttribute);
export const matches = method(Element.prototype.matches as (this: Element, selector: string) => boolean);
export const isEditable = getter<HTMLElement, boolean>(HTMLElement.prototype, 'isContentEditable');
export const inputType = getter<HTMLInputElement, string>(HTMLInputElement.prototype, 'type');
export const inputValue = getter<HTMLInputElement, string>(HTMLInputElement.prototype, 'value');
export const inputCaret = getter<HTMLInputElement, number | null>(HTMLInputElement.prototype, 'selectionStart');
export const inputChecked = getter<HTMLInputElement, boolean>(HTMLInputElement.prototype, 'checked');
export const areaValue = getter<HTMLTextAreaElement, string>(HTMLTextAreaElement.prototype, 'value');
export const areaCaret = getter<HTMLTextAreaElement, number>(HTMLTextAreaElement.prototype, 'selectionStart');
export const selectValue = getter<HTMLSelectElement, string>(HTMLSelectElement.prototype, 'value');
export const selectIndex = getter<HTMLSelectElement, number>(HTMLSelectElement.prototype, 'selectedIndex');
export const selection = getSelection.bind(window);
export const isOnline = getter<Navigator, boolean>(Navigator.prototype, 'onLine');
export const browser = navigator;
export const historyOf = History.prototype;
const cryptography = crypto;
const randomValues = method(crypto.getRandomValues as (this: Crypto, array: Uint8Array<ArrayBuffer>) => Uint8Array);
export const randomBytes = (count: number) => randomValues(cryptography, new Uint8Array(count));
/** Whether a selector can be read by this browser; its error where not. */
export const trySelector = (selector: string): void => { page.createDocumentFragment().querySelector(selector); };

export const isElement = (node: unknown): node is Element => node instanceof Element;
