'use strict';
// A cross, a word, a key. The mark `response` has everything for the analysis.

const COLOURS = [
  { word: 'RED', colour: '#e5534b', key: 'd' },
  { word: 'GREEN', colour: '#57ab5a', key: 'f' },
  { word: 'BLUE', colour: '#539bf5', key: 'j' },
  { word: 'YELLOW', colour: '#e0c060', key: 'k' },
];
const TRIALS = 48; // a multiple of 8
const CROSS_MS = 500;
const LONGEST_MS = 3000;

const byId = (id) => document.getElementById(id);
const mark = (name, data) => window.affectograph?.mark(name, data);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

function show(id) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
}

/** Half congruent; each colour equally often. */
function trials() {
  const all = [];
  for (let k = 0; k < TRIALS; k++) {
    const ink = COLOURS[k % COLOURS.length];
    const others = COLOURS.filter((c) => c !== ink);
    const isCongruent = Math.floor(k / COLOURS.length) % 2 === 0;
    all.push({ ink, word: isCongruent ? ink : others[Math.floor(k / 8) % others.length], isCongruent });
  }
  for (let k = all.length - 1; k > 0; k--) {
    const other = Math.floor(Math.random() * (k + 1));
    [all[k], all[other]] = [all[other], all[k]];
  }
  return all;
}

/** The first of the four keys, or null when the time is over. */
function pressed() {
  return new Promise((resolve) => {
    const done = (event) => {
      window.clearTimeout(timer);
      document.removeEventListener('keydown', onKey);
      resolve(event);
    };
    const onKey = (event) => {
      if (!event.repeat && COLOURS.some((c) => c.key === event.key.toLowerCase())) done(event);
    };
    const timer = window.setTimeout(() => done(null), LONGEST_MS);
    document.addEventListener('keydown', onKey);
  });
}

async function trial({ ink, word, isCongruent }, position) {
  const place = byId('word');
  place.style.color = '';
  place.textContent = '+';
  await later(CROSS_MS);
  place.style.color = ink.colour;
  place.textContent = word.word;
  await painted();
  const shown = performance.now();
  mark('word_shown', { word: word.word, ink: ink.word, is_congruent: isCongruent, position });
  const event = await pressed();
  const key = event?.key.toLowerCase() ?? null;
  mark('response', {
    word: word.word, ink: ink.word, is_congruent: isCongruent, position, key,
    is_correct: key === ink.key,
    // The browser's time of the key press, not of this line.
    response_ms: event ? event.timeStamp - shown : null,
  });
}

async function task() {
  show('trial');
  byId('keys').textContent = byId('rule').textContent;
  mark('task_started', { condition: window.affectograph?.condition ?? null });
  for (const [k, one] of trials().entries()) await trial(one, k + 1);
  show('end');
  mark('task_finished');
  mark('done');
}

byId('rule').textContent = COLOURS.map((c) => `${c.key.toUpperCase()} = ${c.word.toLowerCase()}`).join('   ');
byId('start').addEventListener('click', task, { once: true });
