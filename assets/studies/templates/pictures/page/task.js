'use strict';
// A cross, a picture, its ratings; then the next picture. Everything that the recording shows by name is in a `mark` call.

const CROSS_MS = 1500;
const PICTURE_MS = 6000;
const IS_IN_RANDOM_ORDER = true;
const SCALES = [
  ['valence', 'Unpleasant to pleasant'],
  ['arousal', 'Calm to excited'],
  ['dominance', 'Controlled to in control'],
];

const byId = (id) => document.getElementById(id);
const mark = (name, data) => window.affectograph?.mark(name, data);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** After the next picture of the screen. */
const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

function show(id) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
}

function shuffled(list) {
  const all = [...list];
  for (let k = all.length - 1; k > 0; k--) {
    const other = Math.floor(Math.random() * (k + 1));
    [all[k], all[other]] = [all[other], all[k]];
  }
  return all;
}

async function trial(file, position) {
  show('cross');
  const picture = byId('picture');
  picture.src = `pictures/${encodeURIComponent(file)}`;
  const isReady = picture.decode().then(() => true, () => false);
  await later(CROSS_MS);
  if (!await isReady) {
    mark('picture_failed', { picture: file, position }); // it was not seen, so it is not rated
    return;
  }
  show('show');
  await painted();
  mark('picture_shown', { picture: file, position });
  await later(PICTURE_MS);
  await rate(file, position);
}

function rate(file, position) {
  const form = byId('form');
  const since = performance.now();
  const answers = {};
  form.replaceChildren(...SCALES.map(([scale, text]) => row(scale, text, (value) => {
    answers[scale] = value;
    mark('rated', { picture: file, scale, value, response_ms: Math.round(performance.now() - since) });
    byId('next').disabled = Object.keys(answers).length < SCALES.length;
  })));
  byId('next').disabled = true;
  show('rate');
  mark('rating_shown', { picture: file, position });
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      if (byId('next').disabled) return;
      mark('picture_rated', { picture: file, position, ...answers });
      resolve();
    };
  });
}

/** Nine places; a figure at every second one. */
function row(scale, text, answered) {
  const box = document.createElement('fieldset');
  const legend = document.createElement('legend');
  const places = document.createElement('div');
  legend.textContent = text;
  places.className = 'scale';
  for (let value = 1; value <= 9; value++) {
    const label = document.createElement('label');
    const input = Object.assign(document.createElement('input'), { type: 'radio', name: scale, value: String(value) });
    input.setAttribute('aria-label', `${text}: ${value} of 9`);
    input.addEventListener('change', () => answered(value));
    label.append(input);
    if (value % 2) label.append(manikin(scale, (value - 1) / 8));
    else label.className = 'between';
    places.append(label);
  }
  box.append(legend, places);
  return box;
}

async function task() {
  const order = IS_IN_RANDOM_ORDER ? shuffled(FILES) : FILES;
  mark('task_started', { pictures: order.length, condition: window.affectograph?.condition ?? null });
  for (const [k, file] of order.entries()) await trial(file, k + 1);
  show('end');
  mark('task_finished');
  mark('done'); // the program goes on, for example with a questionnaire
}

byId('start').addEventListener('click', task, { once: true });
