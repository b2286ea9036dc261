'use strict';
// A pause, a video; then the next one. The recording also has the player's own events: play, pause, seek, end.

const PAUSE_MS = 5000;
const DRAWN_FILM_S = 20;

const byId = (id) => document.getElementById(id);
const mark = (name, data) => window.affectograph?.mark(name, data);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function show(id) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id;
}

/** Shows one video to its end. */
function play(file) {
  const video = document.createElement('video');
  video.src = `videos/${encodeURIComponent(file)}`;
  byId('film').replaceChildren(video);
  show('film');
  return new Promise((resolve) => {
    video.addEventListener('playing', () => mark('video_started', { video: file }), { once: true });
    video.addEventListener('ended', () => resolve(true), { once: true });
    video.addEventListener('error', () => resolve(false), { once: true });
    video.play().catch(() => resolve(false));
  });
}

/** Waves at dusk, for a first try without a video. */
function drawnFilm() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [1280, 720];
  byId('film').replaceChildren(canvas);
  show('film');
  const pen = canvas.getContext('2d');
  const start = performance.now();
  mark('video_started', { video: 'drawn' });
  return new Promise((resolve) => {
    const draw = () => {
      const t = (performance.now() - start) / 1000;
      pen.fillStyle = '#3a4152';
      pen.fillRect(0, 0, 1280, 720);
      pen.fillStyle = '#d9a45b';
      pen.beginPath();
      pen.arc(640, 300 + 6 * t, 70, 0, 2 * Math.PI);
      pen.fill();
      for (let wave = 0; wave < 5; wave++) {
        pen.fillStyle = `hsl(215 30% ${30 - 4 * wave}%)`;
        pen.beginPath();
        pen.moveTo(0, 720);
        for (let x = 0; x <= 1280; x += 20) {
          pen.lineTo(x, 420 + 60 * wave + 14 * Math.sin(x / 90 + t * (1 + 0.2 * wave) + wave));
        }
        pen.lineTo(1280, 720);
        pen.fill();
      }
      if (t < DRAWN_FILM_S) requestAnimationFrame(draw);
      else resolve(true);
    };
    draw();
  });
}

async function task() {
  mark('task_started', { videos: FILES.length, condition: window.affectograph?.condition ?? null });
  for (const file of FILES.length > 0 ? FILES : [null]) {
    show('pause');
    mark('pause_started');
    await later(PAUSE_MS);
    const isShown = file === null ? await drawnFilm() : await play(file);
    mark(isShown ? 'video_ended' : 'video_failed', { video: file ?? 'drawn' });
    if (!isShown) {
      show('failed'); // the operator sees the mark and can go on
      return;
    }
  }
  show('end');
  mark('task_finished');
  mark('done');
}

byId('start').addEventListener('click', task, { once: true });
