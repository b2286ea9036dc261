// What a browser and a tab remember of a visitor: answers, withdrawals, recruiting links; and a study that is full.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { whyClosed } from '../../src/consent/ask';
import { type Settings, settle } from '../../src/options';
import type { Invitation } from '../../src/transport/http';
import { linkOf } from '../../src/transport/link';
import { keepLink, linkAnswerOf, rememberLinkAnswer } from '../../src/transport/link-answer';
import { answerOf, onWithdrawal, rememberAnswer, rememberParticipant, rememberWithdrawal, withdrawnOf } from '../../src/transport/visitor';

const area = () => {
  const all = new Map<string, string>();
  return {
    all, getItem: (k: string) => all.get(k) ?? null, setItem: (k: string, v: string) => { all.set(k, v); }, removeItem: (k: string) => { all.delete(k); },
  };
};
const local = area();
const tab = area();
const told = new Set<(event: object) => void>();
Object.defineProperty(globalThis, 'localStorage', { value: local });
Object.defineProperty(globalThis, 'sessionStorage', { value: tab });
Object.assign(globalThis, {
  location: { search: '' },
  addEventListener: (_: string, run: (event: object) => void) => told.add(run),
  removeEventListener: (_: string, run: (event: object) => void) => told.delete(run),
});
/** What a browser does when another tab changes an entry. */
const otherTab = (write: () => void) => {
  const before = new Map(local.all);
  write();
  for (const [key, value] of local.all) if (before.get(key) !== value) for (const run of told) run({ key });
};
/** A page of the site. */
const visit = (search: string): Settings => {
  (globalThis as unknown as { location: { search: string } }).location = { search };
  return settle({ server: 'https://s', study: 'y', key: 'k' });
};
beforeEach(() => {
  local.all.clear();
  tab.all.clear();
});

test('each withdrawal reaches the other tabs, and only withdrawals', () => {
  let count = 0;
  rememberWithdrawal('s', 'y');
  const elsewhere = onWithdrawal('s', 'y', () => { count += 1; });
  elsewhere.look();
  otherTab(() => rememberAnswer('s', 'y', { answer: 'yes', text_sha256: 'x', given_utc_ms: 1 }));
  otherTab(() => rememberAnswer('s', 'y', { answer: 'no' }));
  assert.equal(count, 0);
  otherTab(() => rememberWithdrawal('s', 'y'));
  assert.equal(count, 1);
  otherTab(() => rememberWithdrawal('s', 'y'));
  assert.equal(count, 2);
  elsewhere.look();
  assert.equal(count, 2, 'each once');
  const late = onWithdrawal('s', 'y', () => { count += 1; });
  rememberWithdrawal('s', 'y'); // the event has not come yet
  late.look();
  assert.equal(count, 3);
  late.end();
  elsewhere.end();
  assert.equal(told.size, 0);
});

test('a later answer keeps the time of the withdrawal', () => {
  rememberWithdrawal('s', 'y');
  const at_utc_ms = withdrawnOf('s', 'y');
  assert.ok(at_utc_ms);
  for (const answer of ['yes', 'no'] as const) {
    rememberAnswer('s', 'y', { answer });
    assert.deepEqual(answerOf('s', 'y'), { withdrawn_utc_ms: at_utc_ms, answer });
  }
});

test('the identifier of a recruiting link is in the tab only while there is consent', () => {
  const first = visit('?participant=PERSON-17');
  assert.deepEqual(linkOf(first), { link: 'PERSON-17', isNew: true });
  assert.equal(linkAnswerOf(first), null, 'the visitor is asked');
  assert.equal(tab.all.size, 0, 'nothing is stored before the answer');
  rememberLinkAnswer(first, { answer: 'no' });
  assert.ok(![...tab.all.values()].some((value) => value.includes('PERSON-17')));
  assert.equal(linkAnswerOf(visit('?participant=PERSON-17'))?.answer, 'no', 'not asked again');
  assert.equal(linkAnswerOf(visit(''))?.answer, 'no', 'nor on a page without the link');
  assert.equal(linkAnswerOf(visit('?participant=PERSON-18')), null, 'another person is asked');
  rememberLinkAnswer(visit('?participant=PERSON-17'), { answer: 'yes', text_sha256: 'x', given_utc_ms: 1 });
  assert.deepEqual(linkOf(visit('')), { link: 'PERSON-17', isNew: false });
  assert.equal(linkAnswerOf(visit(''))?.answer, 'yes');
  rememberLinkAnswer(visit(''), { answer: 'no' }); // a withdrawal
  assert.ok(![...tab.all.values()].some((value) => value.includes('PERSON-17')));
  assert.equal(linkAnswerOf(visit('?participant=PERSON-17'))?.answer, 'no');
});

test('a site that asked for consent itself keeps the link, and a tab without a link has no answer of one', () => {
  rememberLinkAnswer(visit(''), { answer: 'no' });
  assert.equal(linkAnswerOf(visit('')), undefined);
  assert.equal(tab.all.size, 0);
  const given = visit('?participant=PERSON-17');
  linkOf(given); // at start()
  (globalThis as unknown as { location: { search: string } }).location = { search: '' }; // the page has changed its address
  keepLink(given);
  assert.equal(linkOf(visit('')).link, 'PERSON-17');
});

test('a full study is closed for new participants only', () => {
  const invitation: Invitation = { consent: { required: true, text: '' }, mask: [], content: [], open: true };
  const full = { ...invitation, is_full: true };
  const closed = { ...invitation, open: false, closed_because: 'The disk is nearly full.' };
  assert.equal(whyClosed(invitation, visit('')), null);
  assert.match(whyClosed(full, visit(''))!, /all its participants/);
  assert.match(whyClosed({ ...full, open: false }, visit(''))!, /all its participants/);
  assert.equal(whyClosed(full, visit('?participant=PERSON-17')), null, 'the server decides');
  rememberParticipant('https://s', 'y', 'sub-01');
  for (const open of [true, false]) assert.equal(whyClosed({ ...full, open }, visit('')), null);
  for (const is_full of [true, false]) assert.equal(whyClosed({ ...closed, is_full }, visit('')), 'The disk is nearly full.');
  // Servers before this field.
  assert.equal(whyClosed({ ...closed, closed_because: 'This study has all its participants.' }, visit('')), 'This study has all its participants.');
});
