// Promises of the language itself, also if the page has replaced the global `Promise`. They are awaited only: `await` calls
// no method that a page could replace.

const Own = (async () => undefined)().constructor as PromiseConstructor;

export const promise = <T>(run: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> =>
  new Own<T>(run);

export const pause = (ms: number): Promise<void> => promise((resolve) => { setTimeout(resolve, ms); });

/** The result of `work`, or undefined if it takes longer. */
export const within = <T>(work: Promise<T>, ms: number): Promise<T | undefined> => promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  const wait = async () => {
    await background(async () => resolve(await work), reject);
    clearTimeout(timer);
  };
  void wait();
});

/** Runs `work` in the background. Its error goes to `failed`. */
export const background = async (work: () => Promise<unknown>, failed: (error: unknown) => void = () => undefined): Promise<void> => {
  try {
    await work();
  } catch (error) {
    failed(error);
  }
};

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
