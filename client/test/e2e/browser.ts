// Debian's Chromium, and a third party's site that serves pages to it.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';
import { need } from '../need';
import { IS_TLS } from './tls';

declare const AFFECTOGRAPH_CLIENT: string;
export const CLIENT = AFFECTOGRAPH_CLIENT;
export const CHROMIUM = process.env['AFFECTOGRAPH_CHROMIUM'] ?? '/usr/bin/chromium';
/** The reason to skip browser tests, or false. */
export const skip: string | false = need(existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`);

/** The certificate of the tests' server is self-signed. */
const TRUST = IS_TLS ? ['--ignore-certificate-errors'] : [];

/** `without`: arguments of Playwright that are left out. */
export const launch = (more: string[] = [], without: string[] = []): Promise<Browser> => chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...TRUST, ...more],
  ignoreDefaultArgs: without,
});

/** Goes one document back, and waits until the browser shows it from its back/forward cache for the `round`-th time. The page's own
 * scripts count that in `returns`. */
export const goBack = async (page: Page, round: number): Promise<void> => {
  await page.evaluate('void setTimeout(() => history.back(), 50)');
  await page.waitForTimeout(500);
  await page.waitForFunction(`window.returns === ${round}`, null, { timeout: 20_000 }).catch(async (cause: unknown) => {
    const why = await page.evaluate('JSON.stringify(performance.getEntriesByType("navigation")[0].notRestoredReasons)') as string;
    throw new Error(`${page.url()} did not return from the cache: ${why}`, { cause });
  });
};

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.onnx': 'application/octet-stream', '.toml': 'text/plain',
};

export interface Site {
  url: string;
  close(): void;
}

/** Serves `pages` by path, and the files of `folder`: by default `/dist/` of this package and the tests' `/node_modules/`, and
 * the project's `/models/`. Other origins may read them. */
export const site = async (pages: Record<string, string | Buffer>, folder = CLIENT): Promise<Site> => {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const page = pages[path];
    const root = path.startsWith('/models/') ? join(CLIENT, '..') : path.startsWith('/node_modules/') ? join(CLIENT, 'test') : folder;
    const body = page === undefined ? readFile(join(root, path)) : Promise.resolve(Buffer.from(page));
    body.then((bytes) => {
      response.writeHead(200, {
        'content-type': TYPES[typeof page === 'string' ? '.html' : extname(path)] ?? 'text/plain', 'access-control-allow-origin': '*',
      });
      response.end(bytes);
    }, () => {
      response.writeHead(404);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

/** Waits for the consent dialog. Its shadow root is closed. */
export const dialog = (page: Page) => page.waitForSelector('[data-affectograph=consent]', { state: 'attached' });

/** Answers the consent dialog with the keyboard. */
export const answer = async (page: Page, ...keys: string[]): Promise<void> => {
  await dialog(page);
  for (const key of keys) await page.keyboard.press(key);
};
export const accept = (page: Page): Promise<void> => answer(page, 'Tab', 'Tab', 'Enter');

/** Errors that reach the context's pages, from now on. */
export const watch = (context: BrowserContext): string[] => {
  const errors: string[] = [];
  context.on('weberror', (error) => errors.push(error.error().message));
  return errors;
};

/** All words that a page and its closed shadow roots show. */
export const words = async (page: Page): Promise<string> => {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  return nodes.filter((n) => n.role?.value === 'StaticText').map((n) => String(n.name?.value)).join('\n');
};

export const eventually = async (what: string, is: () => boolean | Promise<boolean>, patience_ms = 20_000): Promise<void> => {
  const until = Date.now() + patience_ms;
  while (!await is()) {
    if (Date.now() > until) throw new Error(`timeout: ${what} did not happen`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
};
