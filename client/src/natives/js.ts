// The language's own functions, captured when this file runs. In the lab that is before the page's first script. The page
// shares our globals and may be careless or hostile, so that no function may be looked up again later.
//
// `capture/` and `sources/` may call only what is captured here and in `dom.ts`. For the same reason, objects and lists
// there have no prototype, so that no `toJSON` or setter of the page is called. Lists are read by index, because iterators
// can be the page's. Nothing is pushed, spread or destructured as a list.

const { apply } = Reflect;

/** `f` as a function of its `this`. */
export const method = <T, A extends unknown[], R>(f: (this: T, ...args: A) => R) =>
  (self: T, ...args: A): R => apply(f, self, args) as R;

export const call = apply;
export const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, keys } = Object;
const { setPrototypeOf } = Object;
export const { isArray } = Array;
export const { parse, stringify } = JSON;
export const startsWith = (text: string, beginning: string): boolean => indexOf(text, beginning) === 0;
export const slice = method(String.prototype.slice);
export const charCodeAt = method(String.prototype.charCodeAt);
export const indexOf = method(String.prototype.indexOf);
export const trim = method(String.prototype.trim);
export const lowerCase = method(String.prototype.toLowerCase);
export const codeToString = String.fromCharCode;
export const toText = String as (value: unknown) => string;
export const dateToText = method(Date.prototype.toISOString);
export const dateValue = method(Date.prototype.getTime);
/** `[object Date]` and the like, also of another window's. */
export const kindOf = method(Object.prototype.toString);
/** The value of a `new String(…)`, `new Number(…)` or `new Boolean(…)`, by its kind. */
export const boxed = {
  __proto__: null, '[object String]': method(String.prototype.valueOf), '[object Number]': method(Number.prototype.valueOf),
  '[object Boolean]': method(Boolean.prototype.valueOf),
} as unknown as Record<string, ((value: unknown) => unknown) | undefined>;
/** Also of another window's. */
export const isError = ((E) => (value: unknown): value is Error => value instanceof E
  || indexOf(',[object Error],[object DOMException],', ',' + kindOf(value) + ',') >= 0)(Error);
export const TooLong = RangeError;

/** A list without a prototype, which is written as a list even if the page changed `Array.prototype`. */
export const list = <V>(): V[] => setPrototypeOf([], null) as V[];

/** A `WeakMap` whose methods the page cannot change. */
export interface Memory<V> {
  get(key: object): V | undefined;
  set(key: object, value: V): void;
  has(key: object): boolean;
}

export const memory = <V>(): Memory<V> => {
  const map = new WeakMap<object, V>();
  const { get, set, has } = map;
  return {
    __proto__: null,
    get: (key: object) => apply(get, map, [key]) as V | undefined,
    set: (key: object, value: V) => { apply(set, map, [key, value]); },
    has: (key: object) => apply(has, map, [key]) as boolean,
  } as unknown as Memory<V>;
};
