// One session: its curves, events and quality. The view is updated while the session is recorded.

import { encode, erase, get, listen, post } from "./api.js";
import { clock, h, dateTime, later, showStatus, show, signed } from "./dom.js";
import { plane, timeline } from "./plots.js";

const MAX_POINTS = 40000;
/** Events that are listed at first, and that each further request adds. */
const EVENT_PAGE = 500;

export async function session(name) {
  const path = `/v1/library/sessions/${encode(name)}`;
  const data = await get(path);
  const isLive = data.state === "recording";
  const isOpen = isLive || data.state === "silent";
  const values = { valence: h("span", {}, "–"), arousal: h("span", {}, "–") };
  const plot = h("div", { class: "plot" });
  const canvas = h("canvas", { class: "plane", role: "img", "aria-label": "Affect plane of the last 20 seconds: valence on the horizontal axis, arousal on the vertical axis" });
  const note = h("p", { class: "weak small" });
  const closing = isOpen && h("button", { type: "button", onclick: () => confirmClosing(path) }, "Close now…");
  const lamp = h("span", { class: `lamp ${data.state}` }, data.state);

  let showAt = () => {};
  const events = eventList(path, data, (at_s) => showAt(at_s));
  show(
    h("div", { class: "row" },
      h("h1", {}, `${data.participant} · ses-${String(data.number).padStart(2, "0")}`), lamp,
      h("span", { class: "end row" },
        !isOpen && h("a", { class: "button", href: `${path}/download`, download: true }, "Download"),
        closing,
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
    events.element,
  );

  showAt = (at_s) => {
    const until_s = at_s ?? data.affect.at(-1)?.at_s ?? 0;
    plane(canvas, data.affect, until_s);
    const point = data.affect.findLast((p) => p.at_s <= until_s);
    values.valence.textContent = signed(point?.valence ?? NaN);
    values.arousal.textContent = signed(point?.arousal ?? NaN);
  };
  const describe = () => {
    note.textContent = data.affect.length
      ? "Raw network output, not smoothed. Ticks are events. Shaded ranges have no reading, red ranges are lost data. Drag to zoom in, double-click to show everything."
      : "No face was found in this session" + (isLive ? " yet." : ".");
  };
  const chart = timeline(plot, data, showAt);
  describe();
  showAt(null);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => dispatchEvent(new HashChangeEvent("hashchange"));
  scheme.addEventListener("change", recolour);

  let due = 0;
  const add = (added) => {
    data.affect.push(...added.affect);
    data.events.push(...added.events);
    events.add(added.events);
    data.gaps.push(...added.gaps);
    if (data.affect.length > MAX_POINTS) data.affect = data.affect.slice(-MAX_POINTS);
    // Draws at most once in 300 ms.
    due ||= setTimeout(() => { due = 0; chart.update(); describe(); events.draw(); showAt(null); }, 300);
  };
  const over = () => { showStatus("This session has ended."); setTimeout(recolour, 1500); };
  const stop = isLive ? listen(`${path}/live`, { news: add, missed: recolour, ended: over }, recolour) : () => {};
  return () => { stop(); chart.stop(); events.end(); clearTimeout(due); scheme.removeEventListener("change", recolour); };
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

/** The list of events: the last ones, the earlier ones on request, and a search over all. */
function eventList(path, data, showAt) {
  const rows = h("tbody");
  const total = h("span", { class: "weak small", role: "status" });
  const search = h("input", { type: "search", placeholder: "click, button#buy …" });
  const more = h("button", { type: "button", onclick: () => load(true) }, "Earlier events");
  // A live session adds events to the list that was loaded.
  let listed = data.events.slice(-EVENT_PAGE);
  let earlier = data.events.length - listed.length + data.events_left_out;
  let turn = 0;

  const wanted = () => search.value.trim().toLowerCase();
  const load = async (isMore) => {
    const mine = ++turn;
    const parameters = new URLSearchParams({ search: wanted(), limit: EVENT_PAGE, skip: isMore ? listed.length : 0 });
    try {
      const answer = await get(`${path}/events?${parameters}`);
      // Another request was sent meanwhile. Its answer is newer.
      if (mine !== turn) return;
      listed = isMore ? [...answer.events, ...listed] : answer.events;
      earlier = answer.earlier;
      draw();
    } catch (e) {
      showStatus(e.message);
    }
  };
  const draw = () => {
    total.textContent = `${listed.length + earlier}` + (earlier > 0 ? `, the last ${listed.length} are listed` : "");
    more.hidden = earlier === 0;
    rows.replaceChildren(...listed.toReversed().map((e) => h("tr", {},
      h("td", {}, h("button", { type: "button", onclick: () => showAt(e.at_s), title: "Show this time in the affect plane" }, clock(e.at_s))),
      h("td", {}, e.stream), h("td", {}, e.kind), h("td", {}, h("code", {}, e.what)))));
    if (!listed.length) rows.append(h("tr", {}, h("td", { colspan: 4, class: "empty" }, "No events.")));
  };
  const add = (events) => listed.push(...events.filter((e) => `${e.stream} ${e.kind} ${e.what}`.toLowerCase().includes(wanted())));
  const searched = later(250, () => load(false));
  search.addEventListener("input", searched);
  draw();
  const element = h("section", { class: "card" },
    h("div", { class: "row" }, h("h2", {}, "Events"), total, h("label", { class: "end" }, "Search events", search)),
    h("div", { class: "events", tabindex: 0, role: "region", "aria-label": "Events" }, h("table", {}, h("thead", {}, h("tr", {},
      ["Time", "Stream", "Kind", "Target"].map((t) => h("th", {}, t)))), rows), more));
  return { element, add, draw, end: searched.cancel };
}

function confirmClosing(path) {
  const problem = h("p", { class: "loss", role: "alert" });
  const dialog = h("dialog", { "aria-labelledby": "close-title" },
    h("form", { onsubmit: (e) => { e.preventDefault(); go(); } },
      h("h2", { id: "close-title" }, "Close this session now?"),
      h("p", {}, "What its browser has not sent yet is not stored, and its page cannot go on recording."), problem,
      h("div", { class: "row" }, h("button", { class: "first" }, "Close now"), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  const go = async () => {
    try {
      await post(`${path}/close`);
    } catch (e) {
      problem.textContent = e.message;
      return;
    }
    dialog.close();
    showStatus("The session is being closed.");
    location.hash = "#/";
  };
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
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
