// Tests that wait most of the time run at the same time. Each has a browser context and a server of its own.

import { type TestOptions, describe, test } from 'node:test';

type Work = () => Promise<void> | void;

/** `add` takes what `test` takes, and `run` is called after the last test of the file. `number` of them run at the same time. */
export const together = (name: string, number: number) => {
  const tests: [string, TestOptions, Work][] = [];
  return {
    add: (title: string, options: TestOptions, work: Work): void => { tests.push([title, options, work]); },
    run: (): void => void describe(name, { concurrency: number }, () => {
      for (const [title, options, work] of tests) void test(title, options, work);
    }),
  };
};
