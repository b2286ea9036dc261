// A browser and the real server for all tests of a file.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { CLIENT } from './browser';
import { Program } from './program';

/** The owner's password, with which `login` logs in. */
export const PASSWORD = 'a long password';
/** Where pictures of the pages are put, for people to look at. */
export const PICTURES = join(CLIENT, '../target/screenshots');

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

/** A folder that is removed after the tests of this file. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'affectograph-'));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
};

/** Logs in at the dashboard, which the page shows. */
export const login = async (page: Page): Promise<void> => {
  await page.locator('#password:focus').waitFor();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sessions' }).waitFor();
};
