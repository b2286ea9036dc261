// Functions that old libraries of a page replace. The library does without them wherever it runs beside a page.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { append, found, joined, kept, mapped, part } from '../../src/natives/lists';
import { json } from '../../src/natives/plain';
import { promise, within } from '../../src/natives/promise';

declare const AFFECTOGRAPH_CLIENT: string;

test('lists', () => {
  const list = [3, 1, 2];
  append(list, 5);
  assert.deepEqual(list, [3, 1, 2, 5]);
  assert.deepEqual(mapped(list, (v, k) => v * 10 + k), [30, 11, 22, 53]);
  assert.deepEqual(kept(list, (v) => v > 2), [3, 5]);
  assert.equal(found(list, (v) => v < 3), 1);
  assert.equal(found(list, (v) => v > 9), undefined);
  assert.equal(joined(['a', 'b', 'c'], '-'), 'a-b-c');
  assert.equal(joined([], '-'), '');
  assert.deepEqual([part(list, 1), part(list, 1, 3), part(list, 9)], [[1, 2, 5], [1, 2], []]);
});

const PLAIN = { text: 'a"\u2028', n: 1.5, none: null, left: undefined, nan: NaN, yes: true, list: [1, [2, { b: [] }], null], at: { "x y": -0 } };

test('JSON is the browser\'s, and no toJSON changes it', () => {
  const right = JSON.stringify(PLAIN);
  assert.equal(json(PLAIN), right);
  const victims = [Array.prototype, Object.prototype, String.prototype, Number.prototype] as unknown as Record<string, unknown>[];
  for (const victim of victims) {
    Object.defineProperty(victim, 'toJSON', { value: () => 'broken', configurable: true, enumerable: true, writable: true });
    try {
      assert.equal(json(PLAIN), right);
    } finally {
      delete victim['toJSON'];
    }
  }
});

test('a wait is bounded', async () => {
  assert.equal(await within(promise<number>((resolve) => resolve(7)), 1000), 7);
  assert.equal(await within(promise<number>(() => undefined), 10), undefined);
  await assert.rejects(within(promise<number>((_, reject) => reject(new Error('no'))), 1000), /no/);
});

/** What a page may have replaced. Iteration, spread and `await` use nothing that old libraries replace. */
const REPLACED = [
  /\.(map|filter|push|pop|shift|unshift|forEach|reduce|reduceRight|find|findLast|findIndex|some|every|includes|flatMap|flat|splice|sort|reverse|fill|concat|join|keys|values|entries)\(/,
  /\bJSON\.stringify\b/, /\bnew Promise\b/, /\bPromise\.(all|race|any|resolve|reject|allSettled)\b/, /\.(then|catch|finally)\(/,
  /\bObject\.(keys|values|entries|fromEntries|assign)\b/, /\bArray\.(from|of|isArray)\b/, /^import (?!type ).*from 'rxjs'/, /\bfor \((const|let|var) \w+ in\b/,
];
/** Files that run elsewhere: the worker has globals of its own. */
const ELSEWHERE = ['camera/scores.worker.ts', 'camera/vision/'];
/** Files with another reason. */
const ALLOWED: Record<string, RegExp[]> = {
  // The reading of the clock is an Observable of RxJS.
  'transport/pings.ts': [/from 'rxjs'/, /pings\.push\(/, /\.catch\(\(\) => null\)/],
  // The public interface is RxJS. It works where a page itself subscribes.
  'transport/signal.ts': [/from 'rxjs'/],
};

const withoutComments = (source: string): string => source.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

/** Uses of what a page may have replaced, as `line: text`. */
const unsafeUses = (source: string, allowed: RegExp[] = []): string[] =>
  withoutComments(source).split('\n').filter((line) => REPLACED.some((use) => use.test(line)) && !allowed.some((use) => use.test(line)));

test('transport, camera, consent and sign use nothing that a page may have replaced', async () => {
  const root = join(AFFECTOGRAPH_CLIENT, 'src');
  const single = ['recorder.ts', 'options.ts', 'assets.ts', 'checksum.ts', 'replay.ts', 'closed-root.ts'];
  const folders = await Promise.all(['transport', 'camera', 'consent', 'sign', 'natives'].map(async (folder) =>
    (await readdir(join(root, folder), { recursive: true })).filter((file) => file.endsWith('.ts')).map((file) => `${folder}/${file}`)));
  const files = [...single, ...folders.flat()].filter((file) => !ELSEWHERE.some((other) => file.startsWith(other)));
  assert.ok(files.length > 30);
  const uses: string[] = [];
  for (const file of files) {
    for (const line of unsafeUses(await readFile(join(root, file), 'utf8'), ALLOWED[file])) uses.push(`${file}: ${line.trim()}`);
  }
  assert.deepEqual(uses, []);
});

test('the check of the sources sees such uses', () => {
  for (const line of ['all.map((x) => x)', 'JSON.stringify(all)', 'return new Promise(run)', 'work().catch(() => 0)', "import { take } from 'rxjs';", 'for (const k in all) run(k)']) {
    assert.equal(unsafeUses(line).length, 1, line);
  }
  assert.deepEqual(unsafeUses('// all.map(x)\nfor (const x of all) run(x);'), []);
});
