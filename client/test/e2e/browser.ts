// Debian's Chromium, and a third party's site that serves pages to it.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { need } from '../need';

declare const AFFECTOGRAPH_CLIENT: string;
export const CLIENT = AFFECTOGRAPH_CLIENT;
export const CHROMIUM = process.env['AFFECTOGRAPH_CHROMIUM'] ?? '/usr/bin/chromium';
/** The reason to skip browser tests, or false. */
export const skip: string | false = need(existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`);

export const launch = (more: string[] = []): Promise<Browser> => chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...more],
});

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.onnx': 'application/octet-stream', '.toml': 'text/plain',
};

export interface Site {
  url: string;
  close(): void;
}

/** Serves `pages` by path, and the files of `folder`: by default `/dist/` and `/node_modules/` of this package, and the
 * project's `/models/`. Other origins may read them. */
export const site = async (pages: Record<string, string | Buffer>, folder = CLIENT): Promise<Site> => {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const page = pages[path];
    const root = path.startsWith('/models/') ? join(CLIENT, '..') : folder;
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

export const eventually = async (what: string, is: () => boolean | Promise<boolean>, patience_ms = 20_000): Promise<void> => {
  const until = Date.now() + patience_ms;
  while (!await is()) {
    if (Date.now() > until) throw new Error(`timeout: ${what} did not happen`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
};
