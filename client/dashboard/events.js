// The events of one session: the last ones, the earlier ones on request, and a search over all.

import { get } from "./api.js";
import { exactClock, h, later, showStatus } from "./dom.js";

/** Events that are listed at first, and that each further request adds. */
const EVENT_PAGE = 500;
/** A session that is recorded lists at most so many. The earlier ones are counted, and can be requested. */
const MOST_LISTED = 2000;

/** `listed` with `added` at its end, at most `most` long, and how many of the earliest are not in it. */
export function newest(listed, added, most = MOST_LISTED) {
  const all = [...listed, ...added];
  const surplus = Math.max(0, all.length - most);
  return { listed: all.slice(surplus), left_out: surplus };
}

/** `showAt` is called with the time of an event that the owner chooses. */
export function eventList(path, data, showAt) {
  const rows = h("tbody");
  const total = h("span", { class: "weak small", role: "status" });
  const search = h("input", { type: "search", placeholder: "click" });
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
      h("td", {}, h("button", { type: "button", onclick: () => showAt(e.at_s), title: "Show this time" }, exactClock(e.at_s))),
      h("td", {}, e.stream), h("td", {}, e.kind), h("td", {}, h("code", {}, e.what)))));
    if (!listed.length) rows.append(h("tr", {}, h("td", { colspan: 4, class: "empty" }, "No events.")));
  };
  const add = (events) => {
    const matching = events.filter((e) => `${e.stream} ${e.kind} ${e.what}`.toLowerCase().includes(wanted()));
    const kept = newest(listed, matching);
    // An event that waited on a busy page arrives after later ones.
    listed = kept.listed.sort((a, b) => a.at_s - b.at_s);
    earlier += kept.left_out;
  };
  const searched = later(250, () => load(false));
  search.addEventListener("input", searched);
  draw();
  const element = h("section", { class: "card" },
    h("div", { class: "row" }, h("h2", {}, "Events"), total, h("label", { class: "end" }, "Search events", search)),
    h("div", { class: "events", tabindex: 0, role: "region", "aria-label": "Events" }, h("table", {}, h("thead", {}, h("tr", {},
      ["Time", "Stream", "Kind", "Target"].map((t) => h("th", {}, t)))), rows), more));
  return { element, add, draw, end: searched.cancel };
}
