// Parts of the dashboard that need no page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
// @ts-expect-error: the dashboard is plain JavaScript
import { exactClock } from '../../dashboard/dom.js';
// @ts-expect-error: the dashboard is plain JavaScript
import { newest } from '../../dashboard/events.js';
// @ts-expect-error: the dashboard is plain JavaScript
import { needsAddress } from '../../dashboard/study.js';
// @ts-expect-error: the dashboard is plain JavaScript
import { recruitingLinks, snippets } from '../../dashboard/snippet.js';

test('a live list of events keeps the newest and counts the earlier ones', () => {
  let listed: number[] = [];
  let earlier = 0;
  for (let k = 0; k < 1000; k++) {
    const kept = (newest as (listed: number[], added: number[], most: number) => { listed: number[]; left_out: number })(listed, [3 * k, 3 * k + 1, 3 * k + 2], 100);
    listed = kept.listed;
    earlier += kept.left_out;
    assert.ok(listed.length <= 100);
  }
  assert.deepEqual([listed.at(0), listed.at(-1), earlier], [2900, 2999, 2900]);
});

test('the time of an event is rounded to milliseconds', () => {
  const times = [0, 6.4124, 59.9996, 3661.5].map((at_s) => (exactClock as (seconds: number) => string)(at_s));
  assert.deepEqual(times, ['00:00:00.000', '00:00:06.412', '00:01:00.000', '01:01:01.500']);
});

test('a study without a page can be changed without an address', () => {
  const needed = needsAddress as (study: { address: string }) => boolean;
  assert.equal(needed({ address: '' }), false);
  assert.equal(needed({ address: 'https://a.example' }), true);
});

test('a recruiting link keeps the query and the hash of the page', () => {
  const links = (address: string) => (recruitingLinks as (address: string) => [string, string][])(address).map(([, link]) => link);
  assert.equal(links('https://a.example/task')[0], 'https://a.example/task?participant={{%PROLIFIC_PID%}}');
  assert.equal(links('https://a.example/task?x=1#/start')[0], 'https://a.example/task?x=1&participant={{%PROLIFIC_PID%}}#/start');
});

test('the hosted code names the server and the checksum', () => {
  const make = snippets as (...all: unknown[]) => { hosted: string };
  const { hosted } = make('https://s.example', 'shop', 'agk_x', { path: '/v1/client/0.1.0-1/affectograph.min.js', integrity: 'sha384-abc' }, true);
  assert.match(hosted, /src="https:\/\/s\.example\/v1\/client\/0\.1\.0-1\/affectograph\.min\.js"/);
  assert.match(hosted, /integrity="sha384-abc" crossorigin="anonymous"/);
  assert.doesNotMatch(hosted, /camera:/);
});
