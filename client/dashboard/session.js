// One session: its curves, events, face and page, and what is known about it. The view is updated while the session is recorded.

import { about, consent, note as noteCard } from "./about.js";
import { encode, erase, get, listen, post } from "./api.js";
import { confirmFirst } from "./dialog.js";
import { again, h, sessionTitle, showStatus, show, signed } from "./dom.js";
import { downloads } from "./downloads.js";
import { eventList } from "./events.js";
import { eraseParticipant } from "./participant.js";
import { playback } from "./playback.js";
import { plane, timeline } from "./plots.js";

const MAX_POINTS = 40000;

export async function session(name) {
  const path = `/v1/library/sessions/${encode(name)}`;
  const data = await get(path);
  const isLive = data.state === "recording";
  const isOpen = isLive || data.state === "silent";
  const values = { valence: h("span", {}, "–"), arousal: h("span", {}, "–") };
  const plot = h("div", { class: "plot" });
  const canvas = h("canvas", { class: "plane", role: "img", "aria-label": "Affect plane of the last 20 seconds: valence on the horizontal axis, arousal on the vertical axis" });
  const note = h("p", { class: "weak small" });
  const title = sessionTitle(data);
  const lamp = h("span", { class: `lamp ${data.state}` }, data.state);

  let chart;
  const showAt = (at_s) => {
    const until_s = at_s ?? data.affect.at(-1)?.at_s ?? 0;
    plane(canvas, data.affect, until_s);
    const point = data.affect.findLast((p) => p.at_s <= until_s);
    values.valence.textContent = signed(point?.valence ?? NaN);
    values.arousal.textContent = signed(point?.arousal ?? NaN);
  };
  const end_s = data.quality?.seconds ?? Math.max(data.affect.at(-1)?.at_s ?? 0, data.events.at(-1)?.at_s ?? 0);
  const player = isOpen ? null : playback(path, data, end_s, (at_s) => { showAt(at_s); chart.playhead(at_s); });
  const chosen = (at_s) => (player ? player.to(at_s) : showAt(at_s));
  const events = eventList(path, data, chosen);
  show(
    h("div", { class: "row" },
      h("h1", {}, title), lamp, h("a", { class: "small", href: `#/participant/${encode(data.participant)}` }, `All sessions of ${data.participant}`),
      h("span", { class: "end row" },
        !isOpen && downloads(path),
        isOpen && h("button", { type: "button", onclick: () => closeNow(path) }, "Close now…"),
        h("button", { type: "button", onclick: () => eraseSession(path, title) }, "Erase session…"),
        h("button", { type: "button", onclick: () => eraseParticipant(data.participant) }, "Erase participant…"))),
    h("section", { class: "card", "aria-label": "About" }, about(data)),
    h("div", { class: "split" },
      h("section", { class: "card" },
        h("div", { class: "row" }, h("h2", {}, "Valence and arousal"),
          h("span", { class: "key valence" }, h("span", {}, "valence ", values.valence)),
          h("span", { class: "key arousal" }, h("span", {}, "arousal ", values.arousal))),
        plot,
        note),
      h("section", { class: "card" }, h("h2", {}, "Affect plane"), canvas)),
    player?.element,
    events.element,
    h("div", { class: "pair" }, consent(data), noteCard(path, data)),
  );

  const describe = () => {
    note.textContent = data.affect.length
      ? `Raw network output, not smoothed. Ticks are events. Shaded ranges have no reading, red ranges are lost data. Drag to zoom in, double-click to show everything.${player ? " Click to move the playhead." : ""}`
      : "No face was found in this session" + (isLive ? " yet." : ".");
  };
  chart = timeline(plot, data, showAt, player?.to);
  describe();
  if (player) player.to(data.affect[0]?.at_s ?? 0);
  else showAt(null);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", again);

  let due = 0;
  const add = (added) => {
    data.affect.push(...added.affect);
    data.events.push(...added.events);
    events.add(added.events);
    data.gaps.push(...added.gaps);
    if (data.affect.length > MAX_POINTS) data.affect = data.affect.slice(-MAX_POINTS);
    // The plot shows the range of the curve. Earlier events and gaps would be outside of it.
    if (data.events.length > MAX_POINTS) data.events = data.events.slice(-MAX_POINTS);
    if (data.gaps.length > MAX_POINTS) data.gaps = data.gaps.slice(-MAX_POINTS);
    // Draws at most once in 300 ms.
    due ||= setTimeout(() => { due = 0; chart.update(); describe(); events.draw(); showAt(null); }, 300);
  };
  const over = () => { showStatus("This session has ended."); setTimeout(again, 1500); };
  const stop = isLive ? listen(`${path}/live`, { news: add, missed: again, ended: over }, again) : () => {};
  return () => { stop(); chart.stop(); events.end(); player?.end(); clearTimeout(due); scheme.removeEventListener("change", again); };
}

const closeNow = (path) => confirmFirst({
  title: "Close this session now?",
  text: "What its browser has not sent yet is not stored, and its page cannot go on recording.",
  action: "Close now",
  run: async () => {
    await post(`${path}/close`);
    showStatus("The session is being closed.");
    location.hash = "#/";
  },
});

const eraseSession = (path, title) => confirmFirst({
  title: `Erase ${title} permanently?`,
  text: "This erases this session, its video and its note from this server. The participant's other sessions stay. It cannot be undone. Downloaded copies are not erased.",
  action: "Erase session",
  run: async () => {
    await erase(path);
    showStatus(`${title} was erased.`);
    location.hash = "#/";
  },
});
