// One session: its curves, events and quality. The view is updated while the session is recorded.

import { encode, erase, get, listen } from "./api.js";
import { clock, h, dateTime, showStatus, show, signed } from "./dom.js";
import { plane, timeline } from "./plots.js";

const MAX_POINTS = 40000;
const MAX_ROWS = 500;

export async function session(name) {
  const path = `/v1/library/sessions/${encode(name)}`;
  const data = await get(path);
  const isLive = data.state === "recording";
  const values = { valence: h("span", {}, "–"), arousal: h("span", {}, "–") };
  const plot = h("div", { class: "plot" });
  const canvas = h("canvas", { class: "plane", role: "img", "aria-label": "Affect plane of the last 20 seconds: valence on the horizontal axis, arousal on the vertical axis" });
  const note = h("p", { class: "weak small" });
  const rows = h("tbody");
  const total = h("span", { class: "weak small" });
  const lamp = h("span", { class: `lamp ${data.state}` }, data.state);

  show(
    h("div", { class: "row" },
      h("h1", {}, `${data.participant} · ses-${String(data.number).padStart(2, "0")}`), lamp,
      h("span", { class: "end row" },
        !isLive && h("a", { class: "button", href: `${path}/download`, download: true }, "Download"),
        h("button", { type: "button", onclick: () => confirmErasure(data.participant) }, "Erase participant…"))),
    h("section", { class: "card", "aria-label": "About" }, about(data)),
    h("div", { class: "split" },
      h("section", { class: "card" },
        h("div", { class: "row" }, h("h2", {}, "Valence and arousal"),
          h("span", { class: "key valence" }, h("span", {}, "valence ", values.valence)),
          h("span", { class: "key arousal" }, h("span", {}, "arousal ", values.arousal))),
        plot,
        note),
      h("section", { class: "card" }, h("h2", {}, "Affect plane"), canvas)),
    h("section", { class: "card" }, h("div", { class: "row" }, h("h2", {}, "Events"), total),
      h("div", { class: "events", tabindex: 0, role: "region", "aria-label": "Events" }, h("table", {}, h("thead", {}, h("tr", {},
        ["Time", "Stream", "Kind", "Target"].map((t) => h("th", {}, t)))), rows))),
  );

  const showAt = (at_s) => {
    const until_s = at_s ?? data.affect.at(-1)?.at_s ?? 0;
    plane(canvas, data.affect, until_s);
    const point = data.affect.findLast((p) => p.at_s <= until_s);
    values.valence.textContent = signed(point?.valence ?? NaN);
    values.arousal.textContent = signed(point?.arousal ?? NaN);
  };
  const list = () => {
    note.textContent = data.affect.length
      ? "Raw network output, not smoothed. Ticks are events. Shaded ranges have no reading, red ranges are lost data. Drag to zoom in, double-click to show everything."
      : "No face was found in this session" + (isLive ? " yet." : ".");
    total.textContent = `${data.events.length + data.events_left_out}` + (data.events.length > MAX_ROWS ? `, the last ${MAX_ROWS} are listed` : "");
    rows.replaceChildren(...data.events.slice(-MAX_ROWS).reverse().map((e) => h("tr", {},
      h("td", {}, h("button", { type: "button", onclick: () => showAt(e.at_s), title: "Show this time in the affect plane" }, clock(e.at_s))),
      h("td", {}, e.stream), h("td", {}, e.kind), h("td", {}, h("code", {}, e.what)))));
    if (!data.events.length) rows.append(h("tr", {}, h("td", { colspan: 4, class: "empty" }, "No events.")));
  };
  const chart = timeline(plot, data, showAt);
  list();
  showAt(null);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => dispatchEvent(new HashChangeEvent("hashchange"));
  scheme.addEventListener("change", recolour);

  let due = 0;
  const add = (added) => {
    data.affect.push(...added.affect);
    data.events.push(...added.events);
    data.gaps.push(...added.gaps);
    if (data.affect.length > MAX_POINTS) data.affect = data.affect.slice(-MAX_POINTS);
    // Draws at most once in 300 ms.
    due ||= setTimeout(() => { due = 0; chart.update(); list(); showAt(null); }, 300);
  };
  const over = () => { showStatus("This session has ended."); setTimeout(recolour, 1500); };
  const stop = isLive ? listen(`${path}/live`, { news: add, missed: recolour, ended: over }, recolour) : () => {};
  return () => { stop(); chart.stop(); clearTimeout(due); scheme.removeEventListener("change", recolour); };
}

function about(data) {
  const q = data.quality;
  const ofFace = q && q.face_record !== "nothing";
  const pairs = [
    ["Study", data.study_title], ["Started", dateTime(data.started_utc)], ["Camera", data.camera],
    q && ["Length", clock(q.seconds)],
    q && ["Grade", h("span", { class: "grade" }, q.grade)],
    ofFace && ["Frames scored", q.frames_scored],
    ofFace && q.face_record === "scores" && ["Frames not scored, no picture is stored", q.frames_skipped],
    ofFace && ["Frames with a face", q.face_share === null ? "–" : `${(100 * q.face_share).toFixed(1)} %`],
    ofFace && ["Frames lost", q.frames_lost ? h("span", { class: "loss" }, q.frames_lost) : 0],
    q && q.page_busy && ["Page blocked", `${(100 * q.page_busy.share).toFixed(1)} %, at most ${q.page_busy.longest_s.toFixed(2)} s at a time`],
    q && q.frames_unseen > 0 && ["Frames of other sites, not recorded", q.frames_unseen],
    q && q.clock_uncertainty_ms !== null && ["Uncertainty of the page's clock", `± ${q.clock_uncertainty_ms.toFixed(2)} ms`],
    q && q.clock_jumps && ["Jumps of the page's clock", `${q.clock_jumps.count}, events of uncertain time: ${q.clock_jumps.events}`],
  ];
  return h("dl", {}, pairs.filter(Boolean).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

function confirmErasure(participant) {
  const typed = h("input", { autocomplete: "off", required: true, pattern: participant.replace(/[^\w-]/g, "") });
  const problem = h("p", { class: "loss", role: "alert" });
  const dialog = h("dialog", { "aria-labelledby": "erase-title" },
    h("form", { onsubmit: (e) => { e.preventDefault(); go(); } },
      h("h2", { id: "erase-title" }, `Erase ${participant} permanently?`),
      h("p", {}, "This erases all sessions of this participant, their videos, and the row in participants.tsv from this server. It cannot be undone. Downloaded copies are not erased."),
      h("label", {}, `Type ${participant} to confirm`, typed), problem,
      h("div", { class: "row" }, h("button", { class: "first" }, "Erase"), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  const go = async () => {
    try {
      await erase(`/v1/library/participants/${encode(participant)}`);
    } catch (e) {
      problem.textContent = e.message;
      return;
    }
    dialog.close();
    showStatus(`${participant} was erased.`);
    location.hash = "#/";
  };
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
