// JSON of plain data. Old libraries add `toJSON` to lists or objects, and the browser's JSON would call it.

import { isArray, keys, stringify } from './js';
import { joined, kept, mapped } from './lists';

/** Text, numbers, booleans, null, lists and objects of these. A field that is `undefined` is left out. */
const write = (value: unknown): string => {
  // For text, numbers, booleans and null the browser looks up no `toJSON`.
  if (typeof value !== 'object' || value === null) return stringify(value) ?? 'null';
  if (isArray(value)) return `[${joined(mapped(value as unknown[], write), ',')}]`;
  const fields = value as Record<string, unknown>;
  const names = kept(keys(fields), (name) => fields[name] !== undefined);
  return `{${joined(mapped(names, (name) => `${stringify(name)}:${write(fields[name])}`), ',')}}`;
};

/** The JSON of plain data. It is written by the browser if no `toJSON` can be in the way. */
export const json = (value: unknown): string => ('toJSON' in [] ? write(value) : stringify(value));
