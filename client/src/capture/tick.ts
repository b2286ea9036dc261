// The resolution of the page's clock.

/** The smallest of three steps of the clock that `now` reads, because a busy machine makes some steps appear larger: two at least,
 * and no more after 4 ms. */
export const tick = (now: () => number): number => {
  const start = now();
  let last = start;
  let least = Infinity;
  for (let steps = 0; steps < 3 && (steps < 2 || last - start < 4);) {
    const time = now();
    if (time === last) continue;
    if (time - last < least) least = time - last;
    last = time;
    steps++;
  }
  return least;
};
