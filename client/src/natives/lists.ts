// Lists without the methods of `Array.prototype`, which old libraries of a page replace. Lists are read by index.

/** Adds at the end. */
export const append = <V>(list: V[], value: V): void => { list[list.length] = value; };

export const mapped = <V, R>(list: readonly V[], how: (value: V, k: number) => R): R[] => {
  const out: R[] = [];
  for (let k = 0; k < list.length; k++) append(out, how(list[k]!, k));
  return out;
};

/** The values for which `is` is true. */
export const kept = <V>(list: readonly V[], is: (value: V, k: number) => boolean): V[] => {
  const out: V[] = [];
  for (let k = 0; k < list.length; k++) if (is(list[k]!, k)) append(out, list[k]!);
  return out;
};

/** The first value for which `is` is true. */
export const found = <V>(list: readonly V[], is: (value: V) => boolean): V | undefined => {
  for (let k = 0; k < list.length; k++) if (is(list[k]!)) return list[k];
  return undefined;
};

export const joined = (list: readonly string[], between: string): string => {
  let out = '';
  for (let k = 0; k < list.length; k++) out += (k > 0 ? between : '') + list[k]!;
  return out;
};

export const part = <V>(list: readonly V[], from: number, until = list.length): V[] =>
  kept(list, (_, k) => k >= from && k < until);
