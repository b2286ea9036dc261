// The pages of the study templates: each script is JavaScript, and what could not be shown is not recorded as shown.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Script, createContext } from 'node:vm';

declare const AFFECTOGRAPH_CLIENT: string;
const TEMPLATES = join(AFFECTOGRAPH_CLIENT, '../assets/studies/templates');
const scripts = readdirSync(TEMPLATES, { recursive: true }).map(String).filter((name) => name.endsWith('.js'));
const read = (name: string) => new Script(readFileSync(join(TEMPLATES, name), 'utf8'), { filename: name });

test('each script can be read', () => {
  assert.ok(scripts.length >= 6, scripts.join());
  scripts.forEach(read);
});

type Listener = (event: unknown) => void;

/** As much of an element as the pages use. Whatever is loaded is broken. */
class BrokenElement {
  on = new Map<string, Listener>();
  hidden = true;
  disabled = true;
  constructor(public id: string) {}
  addEventListener(kind: string, listener: Listener) {
    this.on.set(kind, listener);
  }
  replaceChildren() {}
  decode = () => Promise.reject(new Error('no picture'));
  play = () => Promise.reject(new Error('no codec'));
}

/** Runs a page with two files that cannot be shown. Its marks, and the section that is on the screen at the end. */
const runBroken = async (name: string) => {
  const marks: string[] = [];
  const html = readFileSync(join(TEMPLATES, name, '../index.html'), 'utf8');
  const elements = new Map([...html.matchAll(/id="(\w+)"/g)].map(([, id]) => [id!, new BrokenElement(id!)]));
  const sections = [...html.matchAll(/<section id="(\w+)"/g)].map(([, id]) => elements.get(id!)!);
  const context = createContext({
    FILES: ['1', '2'],
    document: {
      getElementById: (id: string) => elements.get(id),
      querySelectorAll: () => sections,
      createElement: (tag: string) => new BrokenElement(tag),
    },
    window: { affectograph: { mark: (mark: string) => marks.push(mark) } },
    requestAnimationFrame: (run: () => void) => setImmediate(run),
    setTimeout: (run: () => void) => setImmediate(run),
    performance,
  });
  read(name).runInContext(context);
  await (elements.get('start')!.on.get('click') as unknown as () => Promise<void>)();
  return { marks, shown: sections.filter((section) => !section.hidden).map((section) => section.id) };
};

test('a picture that cannot be shown is neither shown nor rated', async () => {
  const { marks, shown } = await runBroken('pictures/page/task.js');
  assert.deepEqual(marks, ['task_started', 'picture_failed', 'picture_failed', 'task_finished', 'done']);
  assert.deepEqual(shown, ['end']);
});

test('a film that cannot be shown ends the task with a sentence', async () => {
  const { marks, shown } = await runBroken('video/page/task.js');
  assert.deepEqual(marks, ['task_started', 'pause_started', 'video_failed']);
  assert.deepEqual(shown, ['failed']);
});

test('the first mark of many pictures is short', async () => {
  for (const name of ['pictures/page/task.js', 'video/page/task.js']) {
    const first = readFileSync(join(TEMPLATES, name), 'utf8').match(/mark\('task_started', (.*)\);/)![1]!;
    assert.match(first, /: \w+\.length,/, 'the number of files, not their names');
  }
});
