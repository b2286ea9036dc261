// The text of the consent dialog lists what is recorded, and nothing else.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { described } from '../../src/consent/text';

declare const AFFECTOGRAPH_CLIENT: string;

/** For each kind of event of a page, the words of the text that announce it. */
const ANNOUNCED: Record<string, string> = {
  pointerdown: 'point', pointerup: 'point', pointercancel: 'point', pointermove: 'point', click: 'click', dblclick: 'click', contextmenu: 'click',
  dragstart: 'drag', drop: 'drag', dragend: 'drag', scroll: 'scroll', keydown: 'press a key', keyup: 'press a key', input: 'type, delete',
  composition_start: 'type', composition_end: 'type', change: 'choose in lists and boxes and on sliders', submit: 'send a form',
  focus: 'buttons and links', blur: 'buttons and links', selection: 'select', copy: 'copy', cut: 'cut', paste: 'paste', resize: 'resize',
  fullscreen: 'resize', print: 'print', orientation: 'turn', visibility: 'hide', load: 'open', pageshow: 'open', pagehide: 'leave',
  navigate: 'addresses of its pages', network: 'go offline', error: 'see an error', rejection: 'see an error',
  play: 'play a video or sound', pause: 'play a video or sound', seeked: 'play a video or sound', ended: 'play a video or sound',
};

/** The kinds of events that the sources name. */
const kinds = (): Set<string> => {
  const folder = join(AFFECTOGRAPH_CLIENT, 'src/sources');
  const source = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const named = [...source.matchAll(/emit\.(?:now|throttled)\((?:'\w+', )?[^,]+, '(\w+)'/g)].map(([, kind]) => kind!);
  const listed = [...source.matchAll(/^const [A-Z]+ = \[([^\]]+)\];/gm)].flatMap(([, all]) => [...all!.matchAll(/'(\w+)'/g)].map(([, kind]) => kind!));
  const handled = [...source.matchAll(/handle\('(\w+)'\)/g)].map(([, kind]) => kind!);
  return new Set([...named, ...listed, ...handled]);
};

test('each kind of event is announced', () => {
  const text = described({ camera: 'off', replay: false }, []);
  const found = kinds();
  assert.ok(found.size > 25, [...found].join(' '));
  for (const kind of found) {
    assert.ok(ANNOUNCED[kind], `${kind} is not in this test`);
    assert.ok(text.includes(ANNOUNCED[kind]), `the text does not say "${ANNOUNCED[kind]}", and ${kind} is recorded`);
  }
});

test('what is not recorded is not listed', () => {
  const all = (camera: 'off' | 'scores' | 'video', replay: boolean, content: string[] | undefined) => described({ camera, replay }, content);
  const little = all('off', false, []);
  assert.match(little, /The words that you type or delete are not recorded/);
  assert.match(little, /Your camera is not used/);
  assert.doesNotMatch(little, /as you see it|feelings|are recorded too/);
  assert.match(all('off', false, ['#comment']), /In some fields, the words that you type, and words that you delete, are recorded too/);
  assert.match(all('off', false, ['*']), /The words that you type, and words that you delete, are recorded too/);
  assert.match(all('off', false, undefined), /In the fields that the study has chosen/);
  assert.match(all('off', true, []), /The page is recorded as you see it/);
  assert.match(all('scores', false, []), /No picture is stored or sent/);
  assert.match(all('video', false, []), /its pictures are sent/);
  for (const text of [little, all('video', true, ['*'])]) assert.match(text, /Passwords and payment details are never recorded/);
});
