// The data of a mark as JSON. Old libraries add a `toJSON` to arrays, strings and dates, which converts them to strings.
// Therefore only a `toJSON` of the value itself or of its class is called.

import {
  TooLong, boxed, call, dateToText, dateValue, getOwnPropertyDescriptor, getPrototypeOf, isArray, keys, kindOf, stringify,
} from '../natives/js';
import { text } from './text';

const MAX_TEXT = 4000;
const MAX_LENGTH = 32000;
/** More than the parser accepts, so that the parser can report it. */
const MAX_DEPTH = 20;

const isNever = (value: unknown) => value === undefined || typeof value === 'function' || typeof value === 'symbol';

/** The value of a date or of a boxed string, number or boolean. Any other value is returned unchanged. */
const unwrapped = (value: object): unknown => {
  const kind = kindOf(value);
  try {
    if (kind === '[object Date]') return dateValue(value as Date) === dateValue(value as Date) ? dateToText(value as Date) : null;
    const unbox = boxed[kind];
    if (unbox) return unbox(value);
  } catch {
    // The value only claims to be of this kind.
  }
  return value;
};

/** The `toJSON` of the object or its class. The last prototype is excluded, because all objects share it. */
const ownToJson = (value: object): unknown => {
  for (let o: object | null = value; o; o = getPrototypeOf(o) as object | null) {
    const above = getPrototypeOf(o) as object | null;
    if (!above && o !== value) return undefined;
    const found = getOwnPropertyDescriptor(o, 'toJSON');
    if (found) return found.get ? call(found.get, value, []) : found.value as unknown;
  }
  return undefined;
};

/** `undefined` if there is nothing to write. Throws if the data are circular, too long, or their own code throws. */
export const markJson = (data: unknown): string | undefined => {
  let length = 0;
  const spend = (json: string): string => {
    length += json.length;
    if (length > MAX_LENGTH) throw new TooLong('too long');
    return json;
  };
  const write = (given: unknown, key: string, depth: number): string => {
    let value = given;
    if (depth > MAX_DEPTH) throw new TooLong('nested too deeply');
    if (typeof value === 'object' && value !== null && !isArray(value)) {
      value = unwrapped(value);
      if (typeof value === 'object' && value !== null) {
        const toJson = ownToJson(value);
        if (typeof toJson === 'function') value = call(toJson as (key: string) => unknown, value, [key]);
      }
    }
    if (isNever(value)) return 'null';
    if (typeof value === 'string') return spend(stringify(text(value, MAX_TEXT)));
    if (typeof value !== 'object' || value === null) return spend(stringify(value));
    let json = '';
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) json += spend(i ? ',' : '') + write(value[i], '' + i, depth + 1);
      return spend('[') + json + spend(']');
    }
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const field = (value as Record<string, unknown>)[name];
      if (isNever(field)) continue;
      json += spend((json ? ',' : '') + stringify(text(name, MAX_TEXT)) + ':') + write(field, name, depth + 1);
    }
    return spend('{') + json + spend('}');
  };
  return isNever(data) ? undefined : write(data, '', 0);
};
