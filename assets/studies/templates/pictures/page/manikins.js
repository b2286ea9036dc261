'use strict';
// Figures for self-assessment, drawn for this program. `at` is a place on the scale from 0 to 1.
//   valence: a mouth from a frown to a smile
//   arousal: a closed body to a bursting one, and wider eyes
//   dominance: a small figure to a large one

function manikin(scale, at) {
  const draw = { valence: valenceFigure, arousal: arousalFigure, dominance: dominanceFigure }[scale];
  const picture = document.createElement('template');
  picture.innerHTML = `<svg viewBox="0 0 100 120" fill="none" stroke="#23272b" stroke-width="2.5" stroke-linecap="round" `
    + `stroke-linejoin="round" aria-hidden="true">${draw(at)}</svg>`;
  return picture.content.firstChild;
}

const BODY = 'M28 118 V72 Q28 62 38 62 H62 Q72 62 72 72 V118';

function head(mouth, eye = 3) {
  return `<rect x="24" y="8" width="52" height="50" rx="12" fill="#f2f2ef"/>`
    + `<circle cx="39" cy="28" r="${eye}" fill="#23272b" stroke="none"/><circle cx="61" cy="28" r="${eye}" fill="#23272b" stroke="none"/>`
    + mouth;
}

function valenceFigure(at) {
  const bend = 24 * (at - 0.5);
  // Sad brows on the unpleasant side, raised ones on the pleasant side: lowered ones would look angry.
  const brow = 5 * Math.max(0, 0.5 - at);
  const raised = 20 - 6 * Math.max(0, at - 0.5);
  return `<path d="${BODY}" fill="#f2f2ef"/>`
    + head(`<path d="M36 ${45 - bend / 2} Q50 ${45 + bend} 64 ${45 - bend / 2}"/>`)
    + `<path d="M33 ${raised + brow} L44 ${raised - brow}"/><path d="M56 ${raised - brow} L67 ${raised + brow}"/>`;
}

function arousalFigure(at) {
  const inner = 2 + 8 * at;
  const outer = 4 + 17 * at;
  const points = Array.from({ length: 24 }, (_, k) => {
    const radius = k % 2 ? outer : inner;
    const turn = (2 * Math.PI * k) / 24;
    return `${(50 + radius * Math.cos(turn)).toFixed(1)},${(92 + radius * Math.sin(turn)).toFixed(1)}`;
  });
  const eyes = at < 0.1
    ? '<path d="M34 29 H44"/><path d="M56 29 H66"/>'
    : `<circle cx="39" cy="28" r="${1.5 + 4 * at}" fill="#23272b" stroke="none"/><circle cx="61" cy="28" r="${1.5 + 4 * at}" fill="#23272b" stroke="none"/>`;
  return `<path d="${BODY}" fill="#f2f2ef"/><rect x="24" y="8" width="52" height="50" rx="12" fill="#f2f2ef"/>${eyes}`
    + `<path d="M42 46 H58"/><polygon points="${points.join(' ')}" fill="#23272b" stroke="none"/>`;
}

function dominanceFigure(at) {
  const size = 0.28 + 0.72 * at;
  return `<g transform="translate(50 118) scale(${size.toFixed(3)}) translate(-50 -118)" stroke-width="${(2.5 / size).toFixed(2)}">`
    + `<path d="${BODY}" fill="#f2f2ef"/>${head('<path d="M40 46 H60"/>')}</g>`;
}
