// What a test needs of the machine. With `AFFECTOGRAPH_NEED_ALL=1`, which `.ci/run` sets, what is missing is a failure.

/** The one way to skip a test: `missing` says why, or is false where everything is there. */
export const need = (missing: string | false): string | false => {
  if (missing !== false && process.env['AFFECTOGRAPH_NEED_ALL'] === '1') {
    throw new Error(`AFFECTOGRAPH_NEED_ALL=1, and something is missing: ${missing}`);
  }
  return missing;
};
