// Ranges on an axis.

/** Ranges that do not overlap, so that each place is shaded once. Each is at least `least` long. */
export function joined(ranges, least) {
  const all = [];
  for (const [from, until] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && from <= last[1] + least) last[1] = Math.max(last[1], until, from + least);
    else all.push([from, Math.max(until, from + least)]);
  }
  return all;
}
