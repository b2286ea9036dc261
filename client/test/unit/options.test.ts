// The options of a recorder, and what the study decides.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { obey, settle } from '../../src/options';

test('a page uses no more of the camera than the study permits', () => {
  const settings = (camera?: 'off' | 'scores' | 'video', replay?: boolean) =>
    settle({ server: 'https://s.example', study: 'x', key: 'k', ...(camera && { camera }), ...(replay !== undefined && { replay }) });
  const decided = (page: ReturnType<typeof settings>, study: Parameters<typeof obey>[1]) => {
    obey(page, study);
    return [page.camera, page.replay];
  };
  assert.deepEqual(decided(settings(), {}), ['off', undefined]);
  assert.deepEqual(decided(settings(), { camera: 'video', replay: true }), ['video', true]);
  assert.deepEqual(decided(settings('video', true), { camera: 'scores', replay: false }), ['scores', false]);
  assert.deepEqual(decided(settings('off', false), { camera: 'video', replay: true }), ['off', false]);
});
