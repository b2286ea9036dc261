'use strict';
// One question after the other. The recording has each edit of the text by itself; the marks name the questions.

const QUESTIONS = [
  { name: 'place', text: 'Describe a place where you like to be.' },
  { name: 'day', text: 'What was difficult in the last week?' },
  { name: 'plan', text: 'What do you look forward to?' },
];

const byId = (id) => document.getElementById(id);
const mark = (name, data) => window.affectograph?.mark(name, data);

function show(id) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
}

function ask({ name, text }) {
  const field = byId('text');
  byId('question').textContent = text;
  field.value = '';
  show('write');
  field.focus();
  const since = performance.now();
  mark('question_shown', { question: name });
  return new Promise((resolve) => {
    byId('next').addEventListener('click', () => {
      mark('answered', { question: name, characters: field.value.length, after_ms: Math.round(performance.now() - since) });
      resolve();
    }, { once: true });
  });
}

async function task() {
  mark('task_started', { condition: window.affectograph?.condition ?? null });
  for (const question of QUESTIONS) await ask(question);
  show('end');
  mark('task_finished');
  mark('done');
}

byId('start').addEventListener('click', task, { once: true });
