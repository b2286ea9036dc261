// Requirements of tests. With `AFFECTOGRAPH_NEED_ALL=1`, which `.ci/run` sets, a missing requirement is a failure.

/** The only way to skip a test. `missing` is the reason, or false if nothing is missing. */
export const need = (missing: string | false): string | false => {
  if (missing !== false && process.env['AFFECTOGRAPH_NEED_ALL'] === '1') {
    throw new Error(`AFFECTOGRAPH_NEED_ALL=1, and something is missing: ${missing}`);
  }
  return missing;
};
