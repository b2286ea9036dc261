// The task: rest, four pictures with questions, one choice. Everything it marks stands in `mark` calls below, so a
// reader of the recording finds each moment by name.
'use strict';

const REST_MS = 8000;
const LOOKING_MS = 5000;

const PICTURES = [
  { name: 'lighthouse', alt: 'A lighthouse on a rock, its lamp lit, at dusk over a calm sea' },
  { name: 'paper-boat', alt: 'A boat folded of white paper on a puddle in the rain' },
  { name: 'wilted-plant', alt: 'A wilted flower in a pot on a grey window sill' },
  { name: 'lemons', alt: 'A blue bowl full of lemons in the morning sun' },
];

const byId = (id) => document.getElementById(id);
const screens = ['intro', 'rest', 'trial', 'choice', 'thanks'].map(byId);
const picture = byId('picture');
const answers = byId('answers');
const pleasantness = byId('pleasantness');
const comment = byId('comment');
const memoryButtons = [...answers.querySelectorAll('[data-memory]')];

/** Into the recording, where there is one; in a plain browser the page works all the same. */
const mark = (name, data) => window.affectograph?.mark(name, data);

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** After what was just changed has been handed to the screen. */
const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

function show(id, step) {
  for (const screen of screens) screen.hidden = screen.id !== id;
  const progress = byId('progress');
  progress.setAttribute('aria-valuenow', String(step));
  [...progress.children].forEach((dot, k) => dot.classList.toggle('done', k < step));
  window.scrollTo(0, 0);
  byId(id).querySelector('h1').focus({ preventScroll: true });
}

function preload() {
  for (const { name } of PICTURES) new Image().src = `pictures/${name}.svg`;
}

async function rest() {
  show('rest', 0);
  await painted();
  mark('rest_started', { planned_ms: REST_MS });
  await later(REST_MS);
  mark('rest_ended');
}

/** One picture alone, then its questions; resolves when they are answered. */
async function trial({ name, alt }, index) {
  picture.classList.remove('shown');
  answers.hidden = true;
  byId('trial').classList.remove('answering');
  byId('trial-title').textContent = `Picture ${index + 1} of ${PICTURES.length}`;
  picture.alt = alt;
  picture.src = `pictures/${name}.svg`;
  show('trial', 1 + index);
  try {
    await picture.decode();
  } catch {
    mark('picture_failed', { picture: name });
  }
  picture.classList.add('shown');
  await painted();
  mark('picture_shown', { picture: name, position: index + 1 });
  const shownAt = performance.now();
  await later(LOOKING_MS);
  await ask(name, index, shownAt);
}

async function ask(name, index, shownAt) {
  answers.reset();
  for (const button of memoryButtons) button.setAttribute('aria-pressed', 'false');
  let memory = null;
  let isRated = false;
  byId('reminder').textContent = '';
  byId('step').textContent = `Picture ${index + 1} of ${PICTURES.length}`;
  byId('next').textContent = index + 1 < PICTURES.length ? 'Next picture' : 'Continue';
  byId('trial').classList.add('answering');
  answers.hidden = false;
  pleasantness.focus({ preventScroll: true });
  await painted();
  mark('questions_shown', { picture: name });

  const until = new AbortController();
  const listening = { signal: until.signal };
  for (const kind of ['input', 'pointerup', 'keyup']) {
    pleasantness.addEventListener(kind, (event) => {
      // Tab arrives as a key too, but is no answer; confirming the middle with a click or Space is one.
      if (kind === 'keyup' && event.key !== ' ') return;
      isRated = true;
      byId('reminder').textContent = '';
    }, listening);
  }
  for (const button of memoryButtons) {
    button.addEventListener('click', () => {
      memory = button.dataset.memory;
      for (const other of memoryButtons) other.setAttribute('aria-pressed', String(other === button));
      mark('memory_chosen', { picture: name, memory });
    }, listening);
  }
  await new Promise((resolve) => {
    answers.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!isRated) {
        byId('reminder').textContent = 'Please move the slider to say how pleasant the picture is.';
        pleasantness.focus();
        return;
      }
      resolve();
    }, listening);
  });
  until.abort();
  mark('answered', {
    picture: name,
    pleasantness: Number(pleasantness.value),
    memory,
    comment_characters: comment.value.length,
    after_ms: Math.round(performance.now() - shownAt),
  });
}

async function choose() {
  const gallery = byId('gallery');
  gallery.replaceChildren(...PICTURES.map(({ name, alt }) => {
    const button = document.createElement('button');
    const image = document.createElement('img');
    button.type = 'button';
    button.id = `choose-${name}`;
    button.dataset.picture = name;
    image.src = `pictures/${name}.svg`;
    image.alt = alt;
    image.width = 960;
    image.height = 640;
    button.append(image);
    return button;
  }));
  show('choice', 5);
  await painted();
  mark('choice_shown');
  const chosen = await new Promise((resolve) => {
    byId('choice').addEventListener('click', function pick(event) {
      const button = event.target.closest('[data-picture]');
      if (!button) return;
      byId('choice').removeEventListener('click', pick);
      resolve(button.dataset.picture);
    });
  });
  mark('chosen', { picture: chosen });
}

async function task() {
  mark('task_started', { pictures: PICTURES.map((p) => p.name) });
  await rest();
  for (const [index, one] of PICTURES.entries()) await trial(one, index);
  await choose();
  show('thanks', 6);
  mark('task_finished');
}

preload();
byId('start').addEventListener('click', task, { once: true });
// Enter in the text box ends the line; with Control it goes on, as people expect of forms.
comment.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.ctrlKey) answers.requestSubmit();
});
