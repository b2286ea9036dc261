'use strict';
// Shows the items, marks the first appearance of each and every choice, and ends when all are answered. The program moves the
// marks of this page into the stream `questionnaire`. Times are `performance.now()` of this page.
const QUESTIONNAIRE = __QUESTIONNAIRE__;
const WORDS = QUESTIONNAIRE.words;

const form = document.getElementById('form');
const missing = document.getElementById('missing');
const mark = (name, data) => window.affectograph?.mark(name, { questionnaire: QUESTIONNAIRE.name, ...data });
const shownAt = new Map();
const answers = new Map();
const items = new Map();
let isOver = false;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** A text in any language. Left and right stay the sides of the screen. */
const words = (tag, text, properties = {}) => element(tag, { dir: 'auto', textContent: text, ...properties });

/** The text with its words in braces replaced. */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (braces, name) => values[name] ?? braces);

/** The texts at the two ends of a scale. */
const ends = (left, right) => element('p', { className: 'ends' }, words('span', left), words('span', right));

function answer(item, value) {
  const changes = answers.has(item) ? answers.get(item).changes + 1 : 0;
  answers.set(item, { value, changes });
  const since = shownAt.get(item) ?? performance.now();
  mark('answer', { item, answer: value, onset_ms: since, response_ms: performance.now() - since, changes });
  missing.textContent = '';
}

/** One item in a fieldset; `control` is what answers it. */
function field(item, text, left, right, control) {
  const box = element('fieldset', { id: `item-${item}` }, words('legend', text), control);
  if (left || right) box.append(ends(left, right));
  items.set(item, box);
  return box;
}

/** Numbered choices; `draw` gives the content of a number. */
function choices(item, numbers, draw) {
  const scale = element('div', { className: 'scale' });
  for (const number of numbers) {
    const input = element('input', { type: 'radio', name: item, value: String(number), ariaLabel: String(number) });
    input.addEventListener('change', () => answer(item, number));
    scale.append(draw(number, input));
  }
  return scale;
}

function likert({ item, text, points, left, right }) {
  const numbers = Array.from({ length: points }, (_, k) => k + 1);
  const draw = (number, input) => element('label', {}, input, String(number));
  return field(item, text, left, right, choices(item, numbers, draw));
}

function line({ item, text, left, right }) {
  const track = element('div', { className: 'line', tabIndex: 0, role: 'slider', ariaLabel: text, ariaValueMin: '0', ariaValueMax: '100' });
  const tick = element('i', { hidden: true });
  track.append(tick);
  let value = null;
  const put = (to) => {
    value = Math.min(100, Math.max(0, to));
    tick.hidden = false;
    tick.style.left = `${value}%`;
    track.ariaValueNow = String(Math.round(value));
    answer(item, Math.round(value * 10) / 10);
  };
  const at = (event) => {
    const box = track.getBoundingClientRect();
    return (100 * (event.clientX - box.left)) / box.width;
  };
  track.addEventListener('click', (event) => put(at(event)));
  track.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    put((value ?? 50) + step);
  });
  return field(item, text, left, right, track);
}

function figures() {
  const rows = [
    ['valence', WORDS.valence_row],
    ['arousal', WORDS.arousal_row],
    ['dominance', WORDS.dominance_row],
  ];
  return rows.map(([item, text]) => {
    const draw = (number, input) => {
      const label = element('label', { className: number % 2 ? '' : 'between' }, input);
      if (number % 2) label.append(manikin(item, (number - 1) / 8));
      return label;
    };
    return field(item, text, '', '', choices(item, [1, 2, 3, 4, 5, 6, 7, 8, 9], draw));
  });
}

function grid() {
  const squares = element('div', { id: 'grid' });
  for (let activation = 9; activation >= 1; activation--) {
    for (let pleasantness = 1; pleasantness <= 9; pleasantness++) {
      const label = filled(WORDS.grid_square, { pleasantness, activation });
      const square = element('button', { type: 'button', ariaLabel: label, ariaPressed: 'false', textContent: '×' });
      square.addEventListener('click', () => {
        for (const other of squares.children) other.ariaPressed = String(other === square);
        answer('affect_grid', { pleasantness, activation });
      });
      squares.append(square);
    }
  }
  const box = element('fieldset', { id: 'item-affect_grid' },
    words('p', WORDS.grid_top, { className: 'beside' }), squares,
    words('p', WORDS.grid_bottom, { className: 'beside' }), ends(WORDS.grid_left, WORDS.grid_right));
  items.set('affect_grid', box);
  return [box];
}

const fields = {
  manikins: figures,
  affect_grid: grid,
  items: () => QUESTIONNAIRE.items.map((one) => (one.points ? likert(one) : line(one))),
}[QUESTIONNAIRE.kind]();

document.documentElement.lang = WORDS.language;
document.getElementById('instruction').textContent = QUESTIONNAIRE.text;
document.getElementById('go-on').textContent = WORDS.continue_button;
form.append(...fields);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  const open = [...items.keys()].filter((item) => !answers.has(item));
  if (open.length > 0) {
    const text = open.length === 1 ? WORDS.one_missing : filled(WORDS.several_missing, { number: open.length });
    missing.textContent = text;
    const first = items.get(open[0]);
    first.scrollIntoView({ block: 'center' });
    first.querySelector('input, button, [tabindex]')?.focus({ preventScroll: true });
    return;
  }
  if (isOver) return;
  isOver = true;
  document.getElementById('go-on').disabled = true;
  mark('finished', { answers: Object.fromEntries([...answers].map(([item, { value }]) => [item, value])) });
});

// An item below the edge of the window appears when it is scrolled into view.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    const item = [...items].find(([, box]) => box === target)[0];
    requestAnimationFrame(() => requestAnimationFrame(() => {
      shownAt.set(item, performance.now());
      mark('item_shown', { item });
    }));
  }
}, { threshold: 0.3 });
requestAnimationFrame(() => requestAnimationFrame(() => {
  mark('started', { kind: QUESTIONNAIRE.kind });
  for (const box of items.values()) seen.observe(box);
}));
