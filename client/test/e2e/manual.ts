// Pages of the manual.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT } from './browser';

/** The first page in a file of the manual, for the study of the tests. `path` is below `client/`. `changes` of the page's text are
 * made one after the other. */
export const manualPage = (path: string, server: string, key: string, changes: [string, string][]): string => {
  const html = /```html\n([\s\S]*?)```/.exec(readFileSync(join(CLIENT, path), 'utf8'))?.[1];
  assert.ok(html, `${path} has a page`);
  const all: [string, string][] = [...changes, ['https://affect.example.org', server], ["'demo'", "'smile'"], ['agk_…', key]];
  return all.reduce((page, [from, to]) => {
    assert.ok(page.includes(from), `the page of ${path} contains ${from}`);
    return page.replaceAll(from, to);
  }, html);
};
