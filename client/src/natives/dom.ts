// The browser's own functions, captured when this file runs: see `js.ts`.
//
// The kind of a node is read with the browser's getters, not with `instanceof`: a frame's elements have other classes, and
// the getters accept them too.

import { getOwnPropertyDescriptor, method } from './js';
import { found } from './lists';

const getter = <T extends object, R>(prototype: object, name: keyof T & string) => {
  const get = getOwnPropertyDescriptor(prototype, name)?.get;
  if (!get) throw new Error(`this browser has no ${name}`);
  return method(get as (this: T) => R);
};
/** `undefined` in browsers without this property. */
const maybe = <T extends object, R>(prototype: object | undefined, name: string) => {
  const get = prototype && getOwnPropertyDescriptor(prototype, name)?.get;
  return get && method(get as (this: T) => R);
};

export const here = window;
export const page = document;
export const place = location;
export const { MutationObserver } = window;

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
export const stampOf = getter<Event, number>(Event.prototype, 'timeStamp');
export const pathOf = method(Event.prototype.composedPath);
export const keyOf = getter<KeyboardEvent, string>(KeyboardEvent.prototype, 'key');
export const codeOf = getter<KeyboardEvent, string>(KeyboardEvent.prototype, 'code');
const { getCoalescedEvents } = PointerEvent.prototype as Partial<PointerEvent>;
/** All positions of a pointer since its last event; `undefined` if the browser does not report them. */
export const coalesced = getCoalescedEvents && method(getCoalescedEvents as (this: PointerEvent) => PointerEvent[]);
const { getTargetRanges } = InputEvent.prototype as Partial<InputEvent>;
export const rangesOf = getTargetRanges && method(getTargetRanges as (this: InputEvent) => StaticRange[]);
const nodeType = getter<Node, number>(Node.prototype, 'nodeType');
export const parentOf = getter<Node, Node | null>(Node.prototype, 'parentNode');
export const contentOf = getter<Node, string | null>(Node.prototype, 'textContent');
export const firstOf = getter<Node, Node | null>(Node.prototype, 'firstChild');
export const nextOf = getter<Node, Node | null>(Node.prototype, 'nextSibling');
export const documentOf = getter<Node, Document | null>(Node.prototype, 'ownerDocument');
export const dataOf = getter<CharacterData, string>(CharacterData.prototype, 'data');
const hostOf = getter<ShadowRoot, Element>(ShadowRoot.prototype, 'host');
export const openRootOf = getter<Element, ShadowRoot | null>(Element.prototype, 'shadowRoot');
export const idOf = getter<Element, string>(Element.prototype, 'id');
export const nameOf = getter<Element, string>(Element.prototype, 'localName');
const spaceOf = getter<Element, string | null>(Element.prototype, 'namespaceURI');
export const previousOf = getter<Element, Element | null>(Element.prototype, 'previousElementSibling');
export const attribute = method(Element.prototype.getAttribute);
export const matches = method(Element.prototype.matches as (this: Element, selector: string) => boolean);
export const rectOf = method(Element.prototype.getBoundingClientRect);
export const isEditable = getter<HTMLElement, boolean>(HTMLElement.prototype, 'isContentEditable');
export const inputType = getter<HTMLInputElement, string>(HTMLInputElement.prototype, 'type');
export const inputValue = getter<HTMLInputElement, string>(HTMLInputElement.prototype, 'value');
export const inputCaret = getter<HTMLInputElement, number | null>(HTMLInputElement.prototype, 'selectionStart');
export const inputChecked = getter<HTMLInputElement, boolean>(HTMLInputElement.prototype, 'checked');
export const areaValue = getter<HTMLTextAreaElement, string>(HTMLTextAreaElement.prototype, 'value');
export const areaCaret = getter<HTMLTextAreaElement, number>(HTMLTextAreaElement.prototype, 'selectionStart');
export const selectValue = getter<HTMLSelectElement, string>(HTMLSelectElement.prototype, 'value');
export const selectIndex = getter<HTMLSelectElement, number>(HTMLSelectElement.prototype, 'selectedIndex');
export const selectMany = getter<HTMLSelectElement, boolean>(HTMLSelectElement.prototype, 'multiple');
export const selectOptions = getter<HTMLSelectElement, HTMLOptionsCollection>(HTMLSelectElement.prototype, 'options');
export const countOf = getter<HTMLCollection, number>(HTMLCollection.prototype, 'length');
export const optionChosen = getter<HTMLOptionElement, boolean>(HTMLOptionElement.prototype, 'selected');
export const optionValue = getter<HTMLOptionElement, string>(HTMLOptionElement.prototype, 'value');
export const selectionOf = method(Document.prototype.getSelection);
const fullScreen = (name: string, event: string) => {
  const of = maybe<Document, Element | null>(Document.prototype, name);
  return of && { __proto__: null, of, event };
};
/** The full-screen element, and the name of the event that reports a change. */
export const fullScreenOf = fullScreen('fullscreenElement', 'fullscreenchange')
  ?? fullScreen('webkitFullscreenElement', 'webkitfullscreenchange');
export const orientation = screen.orientation as ScreenOrientation | undefined;
export const mediaTime = maybe<HTMLMediaElement, number>(globalThis.HTMLMediaElement?.prototype, 'currentTime');
export const isOnline = getter<Navigator, boolean>(Navigator.prototype, 'onLine');
export const browser = navigator;
export const historyOf = History.prototype;
const cryptography = crypto;
const randomValues = method(crypto.getRandomValues as (this: Crypto, array: Uint8Array<ArrayBuffer>) => Uint8Array);
export const randomBytes = (count: number) => randomValues(cryptography, new Uint8Array(count));
/** Throws the browser's error if a selector is not valid. */
export const trySelector = (selector: string): void => { page.createDocumentFragment().querySelector(selector); };

// ---- windows of frames: their own properties may be the page's, these getters are not -------------------------------

export const framesIn = maybe<Window, number>(window, 'length') ?? ((w: Window) => w.length);
export const frameElementOf = maybe<Window, Element | null>(window, 'frameElement') ?? ((w: Window) => w.frameElement);
const performanceOf = maybe<Window, Performance>(window, 'performance') ?? ((w: Window) => w.performance);
const nowOf = method(Performance.prototype.now);
const originOf = maybe<Performance, number>(Performance.prototype, 'timeOrigin') ?? (() => NaN);
/** Added to a time of that window, this gives the same time on this document's clock. */
export const clockOffset = (other: Window): number => {
  const theirs = performanceOf(other);
  const before = now();
  const read = nowOf(theirs);
  const measured = (before + now()) / 2 - read;
  const difference = originOf(theirs) - originOf(performanceOf(here));
  // Both clocks can be coarse. The difference of their origins is exact, unless the computer's time was changed.
  return difference - measured < 3 && measured - difference < 3 ? difference : measured;
};

// ---- what a thing is ------------------------------------------------------------------------------------------------

const HTML = 'http://www.w3.org/1999/xhtml';
/** 0 where it is no node. */
const kind = (node: unknown): number => {
  if (typeof node !== 'object' || node === null) return 0;
  try {
    return nodeType(node as Node);
  } catch {
    return 0;
  }
};
export const isElement = (node: unknown): node is Element => kind(node) === 1;
export const isText = (node: unknown): node is Text => kind(node) === 3;
export const isDocument = (node: unknown): node is Document => kind(node) === 9;
/** The host of a shadow root. */
export const shadowHost = (node: Node): Element | null => {
  if (kind(node) !== 11) return null;
  try {
    return hostOf(node as ShadowRoot);
  } catch {
    return null;
  }
};
export const isHtml = (node: unknown): node is HTMLElement => isElement(node) && spaceOf(node) === HTML;
const named = <E extends HTMLElement>(name: string) => (node: unknown): node is E => isHtml(node) && nameOf(node) === name;
export const isInput = named<HTMLInputElement>('input');
export const isArea = named<HTMLTextAreaElement>('textarea');
export const isSelect = named<HTMLSelectElement>('select');

// ---- blocks of the main thread --------------------------------------------------------------------------------------

export interface LongTask { start_ms: number; length_ms: number }

/** Reports each block of the main thread that the browser measures; `undefined` if it measures none. */
export const watchLongTasks = ((Observer, List, Entry) => (report: (task: LongTask) => void): (() => void) | undefined => {
  try {
    if (!found(Observer.supportedEntryTypes, (type) => type === 'longtask')) return undefined;
    const entriesOf = method(List.prototype.getEntries);
    const startOf = getter<PerformanceEntry, number>(Entry.prototype, 'startTime');
    const lengthOf = getter<PerformanceEntry, number>(Entry.prototype, 'duration');
    const observer = new Observer((entries) => {
      const all = entriesOf(entries);
      for (let i = 0; i < all.length; i++) {
        report({ __proto__: null, start_ms: startOf(all[i]!), length_ms: lengthOf(all[i]!) } as LongTask);
      }
    });
    const disconnect = observer.disconnect.bind(observer);
    observer.observe({ type: 'longtask' });
    return disconnect;
  } catch {
    return undefined;
  }
})(globalThis.PerformanceObserver, globalThis.PerformanceObserverEntryList, globalThis.PerformanceEntry);
