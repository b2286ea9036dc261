// A browser and the real server for all tests of a file.

import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { Program } from './program';

/** Both exist while the tests run. */
export let browser: Browser;
export let program: Program;

/** Starts both before the tests of this file, and ends both after them. `prepare` returns further options of `serve`. */
export const withServer = (skip: string | false, open: () => Promise<Browser>, prepare?: (program: Program) => string[]): void => {
  before(async () => {
    if (skip) return;
    browser = await open();
    program = new Program();
    await program.start(...prepare?.(program) ?? []);
  });
  after(async () => {
    if (skip) return;
    await browser.close();
    await program.kill9();
    program.remove();
  });
};
