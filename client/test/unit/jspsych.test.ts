// The jsPsych extension: what of a response becomes data of a mark.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Parameters, type Responses, responseOf } from '../../jspsych/src/responses';
import { VERSION } from '../../jspsych/src/version';

declare const AFFECTOGRAPH_CLIENT: string;

const cases: [what: string, response: unknown, trial: Parameters, responses: Responses, expected: unknown][] = [
  ['the index of a button', 1, { choices: ['Good', 'Bad'] }, 'choices', 1],
  ['no answer', null, { choices: ['Good'] }, 'choices', null],
  ['an offered key', 'f', { choices: ['f', 'j'] }, 'choices', 'f'],
  ['any key', 'q', { choices: 'ALL_KEYS' }, 'choices', { length: 1 }],
  ['typed text', 'Zq7', {}, 'choices', { length: 3 }],
  ['a list of words', ['Zq7', 'f'], { choices: ['f'] }, 'choices', [{ length: 3 }, 'f']],
  ['positions', [3, 1, 2], {}, 'choices', [3, 1, 2]],
  ['answers of a survey', { why: 'Zq7', sex: 'other' }, { questions: [{ name: 'why' }, { options: ['other'] }] }, 'choices',
    { why: { length: 3 }, sex: 'other' }],
  ['a rating', { Q0: 2, Q1: 3 }, { questions: [{ labels: ['no', 'a bit', 'yes'] }] }, 'choices', { Q0: 2, Q1: { is_hidden: true } }],
  ['a typed number', { age: 34 }, { questions: [{ name: 'age' }] }, 'choices', { age: { is_hidden: true } }],
  ['nested answers', { a: { b: 'Zq7', c: 4 } }, {}, 'choices', { a: { b: { length: 3 }, c: { is_hidden: true } } }],
  ['something else', () => 'Zq7', {}, 'choices', null],
  ['all', { why: 'Zq7' }, {}, true, { why: 'Zq7' }],
  ['nothing', 1, { choices: ['Good'] }, false, undefined],
  ['a trial without a response', undefined, {}, true, undefined],
];

for (const [what, response, trial, responses, expected] of cases) {
  test(`a response: ${what} (${responses})`, () => assert.deepEqual(responseOf(response, trial, responses), expected));
}

test('the extension has the version of its package', async () => {
  const { version } = JSON.parse(await readFile(join(AFFECTOGRAPH_CLIENT, 'jspsych/package.json'), 'utf8')) as { version: string };
  assert.equal(VERSION, version);
});
