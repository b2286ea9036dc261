// The resolution of the page's clock.

/** The smallest of three steps of the clock that `now` reads, because a busy machine makes some steps appear larger. Measures for at
 * most 60 ms, or until the first step. With the usual clocks it takes less than a millisecond. */
export const tick = (now: () => number): number => {
  const start = now();
  let last = start;
  let least = Infinity;
  for (let steps = 3; steps;) {
    const time = now();
    if (time === last) continue;
    if (time - last < least) least = time - last;
    last = time;
    steps = time - start < 60 ? steps - 1 : 0;
  }
  return least;
};
