// A visit of a page that records, with the small server of the protocol.

import assert from 'node:assert/strict';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { site, watch } from './browser';
import { ProtocolServer } from './server';

/** `page` is empty at first. `open` opens another tab at the page's address, to which `more` is added. */
export interface Setting { server: ProtocolServer; url: string; context: BrowserContext; page: Page; open(more?: string): Promise<Page> }
export type Work = (setting: Setting) => Promise<void>;
export type Prepare = (server: ProtocolServer) => Promise<void> | void;

/** `source`: the page that is served. `prepare` changes the server before the visit. */
export const visit = async (browser: Browser, source: (server: string) => string, prepare: Prepare, work: Work): Promise<void> => {
  const server = await new ProtocolServer().start();
  await prepare(server);
  const shop = await site({ '/': source(server.url) });
  const context = await browser.newContext();
  const errors = watch(context);
  const open = async (more = '') => {
    const tab = await context.newPage();
    await tab.goto(shop.url + more);
    return tab;
  };
  try {
    await work({ server, url: shop.url, context, page: await context.newPage(), open });
    assert.deepEqual(errors, [], 'no error of ours reaches the page');
  } finally {
    await context.close();
    shop.close();
    await server.kill();
  }
};

/** `work` that begins with the page opened. */
export const opened = (work: Work): Work => async (setting) => {
  await setting.page.goto(setting.url);
  await work(setting);
};

export interface State { phase: string; problem: string | null; session: string | null; participant: string | null; isPaused: boolean }
/** The state with which `start()` resolved. */
export const started = (page: Page) => page.evaluate('started') as Promise<State>;
export const hasDialog = async (page: Page) => await page.locator('[data-affectograph=consent]').count() > 0;
