// Pages of the manual.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT } from './browser';

/** The pages and templates in a file of the manual. `path` is below `client/`. */
export const manualBlocks = (path: string): string[] =>
  [...readFileSync(join(CLIENT, path), 'utf8').matchAll(/^ *```html\n([\s\S]*?)^ *```/gm)].map(([, block]) => block!);

/** A page of the manual for the study of the tests. `changes` of its text are made one after the other. */
export const forTests = (html: string, server: string, key: string, changes: [string, string][]): string => {
  const all: [string, string][] = [...changes, ['https://affect.example.org', server], ["'demo'", "'smile'"], ['agk_…', key]];
  return all.reduce((page, [from, to]) => {
    assert.ok(page.includes(from), `the page contains ${from}: ${page}`);
    return page.replaceAll(from, to);
  }, html);
};

/** The first page in a file of the manual, for the study of the tests. */
export const manualPage = (path: string, server: string, key: string, changes: [string, string][]): string => {
  const [html] = manualBlocks(path);
  assert.ok(html, `${path} has a page`);
  return forTests(html, server, key, changes);
};

/** The code in the row of a table, by the row's first cell. */
export const manualCell = (path: string, name: string): string => {
  const [, code] = new RegExp(`^ *\\| ${name} \\| \`([^\`]+)\` \\|$`, 'm').exec(readFileSync(join(CLIENT, path), 'utf8')) ?? [];
  assert.ok(code, `${path} has a row ${name}`);
  return code;
};
