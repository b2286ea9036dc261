// Plots of time courses, and the affect plane.

import uPlot from "uplot";
import { clock, colour, withMinus } from "./dom.js";
import { joined } from "./ranges.js";

const EVENTS_PX = 22;
const TRAIL_S = 20;
/** A time such as `12:41.5`, and the space beside it. */
const LABEL_PX = 72;
/** Gaps that are closer than this are shown as one. */
const GAP_PX = 2;

const axis = () => ({ stroke: colour("weak"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 }, font: "12px system-ui, sans-serif" });

function fit(plot, element, height) {
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(200, element.clientWidth), height }));
  observer.observe(element);
  return () => { observer.disconnect(); plot.destroy(); };
}

/**
 * Valence and arousal, with events as ticks and gaps as shaded ranges. `moved` is called with the time at the cursor (seconds
 * or null), and `clicked` with the time of a click.
 */
export function timeline(element, data, moved, clicked) {
  const height = 320;
  let playhead_s = null;
  const ticks = (u) => {
    const { ctx } = u;
    const { left, top, width, height: h } = u.bbox;
    const ratio = devicePixelRatio || 1;
    const x = (s) => u.valToPos(s, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, h);
    ctx.clip();
    for (const is_loss of [false, true]) {
      ctx.fillStyle = colour(is_loss ? "loss-soft" : "gap");
      const ranges = data.gaps.filter((gap) => gap.is_loss === is_loss).map((gap) => [x(gap.from_s), x(gap.until_s)]);
      for (const [from, until] of joined(ranges, GAP_PX * ratio)) ctx.fillRect(from, top, until - from, h);
    }
    ctx.strokeStyle = colour("event");
    ctx.lineWidth = ratio;
    ctx.beginPath();
    for (const event of data.events) {
      const at = Math.round(x(event.at_s)) + 0.5;
      ctx.moveTo(at, top + h - EVENTS_PX * ratio * (event.stream === "marker" || event.kind === "mark" ? 1.6 : 0.8));
      ctx.lineTo(at, top + h);
    }
    ctx.stroke();
    if (playhead_s !== null) {
      ctx.strokeStyle = colour("accent");
      ctx.lineWidth = 2 * ratio;
      ctx.beginPath();
      ctx.moveTo(x(playhead_s), top);
      ctx.lineTo(x(playhead_s), top + h);
      ctx.stroke();
    }
    ctx.restore();
  };
  const line = (label, name) => ({ label, stroke: colour(name), width: 1.5, spanGaps: false, points: { show: false } });
  const plot = new uPlot({
    width: Math.max(200, element.clientWidth), height,
    padding: [10, 24, 0, 0],
    scales: { x: { time: false }, y: { range: [-1.25, 1.05] } },
    axes: [
      { ...axis(), space: LABEL_PX, values: (_, all, axis_at, space, step_s) => all.map((s) => tickTime(s, step_s)) },
      { ...axis(), values: (_, all) => all.map((v) => (v < -1 ? "" : withMinus(v))), size: 42 },
    ],
    series: [{}, line("valence", "valence"), line("arousal", "arousal")],
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    hooks: {
      draw: [ticks],
      setCursor: [(u) => moved(u.cursor.idx === null || u.cursor.idx === undefined ? null : u.data[0][u.cursor.idx])],
    },
  }, columns(data), element);
  if (clicked) {
    let pressed_px = 0;
    plot.over.addEventListener("pointerdown", (e) => { pressed_px = e.clientX; });
    // A drag zooms in.
    plot.over.addEventListener("click", (e) => { if (Math.abs(e.clientX - pressed_px) < 4) clicked(plot.posToVal(e.offsetX, "x")); });
  }
  const stop = fit(plot, element, height);
  const playhead = (at_s) => { playhead_s = at_s; plot.redraw(false, false); };
  return { update: () => plot.setData(columns(data)), playhead, stop };
}

/** `12:41`, or `12:41.5` if ticks are closer than a second. */
function tickTime(s, step_s) {
  const tenths = step_s < 1 ? (s - Math.floor(s)).toFixed(step_s < 0.1 ? 2 : 1).slice(1) : "";
  return clock(s).replace(/^00:/, "") + tenths;
}

/** Interrupts the lines where there is no reading for half a second. */
function columns({ affect }) {
  const [x, v, a] = [[], [], []];
  let last = -Infinity;
  for (const p of affect) {
    if (p.at_s - last > 0.5 && x.length) { x.push((last + p.at_s) / 2); v.push(null); a.push(null); }
    x.push(p.at_s); v.push(p.valence); a.push(p.arousal);
    last = p.at_s;
  }
  return x.length ? [x, v, a] : [[0, 1], [null, null], [null, null]];
}

/** The affect plane: valence on the horizontal axis, arousal on the vertical axis, with the last seconds as a trail. */
export function plane(canvas, affect, until_s) {
  const ratio = devicePixelRatio || 1;
  const side = Math.round((canvas.clientWidth || 280) * ratio);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const ctx = canvas.getContext("2d");
  const [pad, span] = [0.11 * side, 0.78 * side];
  const x = (v) => pad + ((Math.max(-1, Math.min(1, v)) + 1) / 2) * span;
  const y = (v) => side - x(v);
  ctx.clearRect(0, 0, side, side);
  ctx.lineWidth = ratio;
  ctx.strokeStyle = colour("grid");
  ctx.strokeRect(pad, pad, span, span);
  ctx.beginPath();
  ctx.moveTo(side / 2, pad); ctx.lineTo(side / 2, pad + span); ctx.moveTo(pad, side / 2); ctx.lineTo(pad + span, side / 2);
  ctx.stroke();
  ctx.fillStyle = colour("weak");
  ctx.font = `${11.5 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.fillText("excited", side / 2, pad - 6 * ratio);
  ctx.fillText("calm", side / 2, side - pad + 15 * ratio);
  ctx.save(); ctx.translate(pad - 7 * ratio, side / 2); ctx.rotate(-Math.PI / 2); ctx.fillText("unpleasant", 0, 0); ctx.restore();
  ctx.save(); ctx.translate(side - pad + 7 * ratio, side / 2); ctx.rotate(Math.PI / 2); ctx.fillText("pleasant", 0, 0); ctx.restore();
  const seen = affect.filter((p) => p.at_s <= until_s && p.at_s > until_s - TRAIL_S && p.valence !== null && p.arousal !== null);
  ctx.fillStyle = colour("accent");
  for (const p of seen) {
    ctx.globalAlpha = 0.08 + 0.5 * (1 - (until_s - p.at_s) / TRAIL_S);
    ctx.beginPath(); ctx.arc(x(p.valence), y(p.arousal), 2 * ratio, 0, 7); ctx.fill();
  }
  ctx.globalAlpha = 1;
  const now = seen.at(-1);
  if (now) { ctx.beginPath(); ctx.arc(x(now.valence), y(now.arousal), 5 * ratio, 0, 7); ctx.fill(); }
}

/**
 * Means with their confidence bands, around an event at zero. Each line has the name of its colour (`style`), its own name and
 * its `band`: `mean`, and `low` and `high` if there is an interval.
 */
export function around(element, times_s, lines) {
  const height = 340;
  const empty = times_s.map(() => null);
  const band = ({ low, mean, high }) => [low ?? empty, mean, high ?? empty];
  const edge = () => ({ stroke: "transparent", points: { show: false } });
  const mean = (label, name) => ({ label, stroke: colour(name), width: 2, points: { show: false } });
  const zero = (u) => {
    const at = Math.round(u.valToPos(0, "x", true)) + 0.5;
    u.ctx.save();
    u.ctx.strokeStyle = colour("weak");
    u.ctx.setLineDash([4, 4]);
    u.ctx.beginPath(); u.ctx.moveTo(at, u.bbox.top); u.ctx.lineTo(at, u.bbox.top + u.bbox.height); u.ctx.stroke();
    u.ctx.restore();
  };
  const plot = new uPlot({
    width: Math.max(200, element.clientWidth), height,
    padding: [12, 24, 0, 0],
    scales: { x: { time: false } },
    axes: [{ ...axis(), values: (_, all) => all.map(withMinus), label: "seconds from the event", labelSize: 24, labelFont: "12px system-ui, sans-serif" }, { ...axis(), size: 52, values: (_, all) => all.map(withMinus) }],
    series: [{}, ...lines.flatMap(({ style, name }) => [edge(), mean(name, style), edge()])],
    bands: lines.map(({ style }, k) => ({ series: [3 * k + 3, 3 * k + 1], fill: colour(style) + "33" })),
    hooks: { draw: [zero] },
  }, [times_s, ...lines.flatMap((line) => band(line.band))], element);
  return fit(plot, element, height);
}
