// The first view: what needs attention, and the list of sessions.

import { get } from "./api.js";
import { bytes, count, h, show } from "./dom.js";
import { sessionList } from "./sessions.js";

const STATUS_EVERY_MS = 30_000;

export async function home() {
  const studies = (await get("/v1/library/studies")).studies;
  const choice = h("select", { id: "study" }, h("option", { value: "" }, "All studies"),
    studies.map((s) => h("option", { value: s.name }, s.title)));
  const status = statusLine();
  const read = () => status.load().catch(() => {});
  const list = sessionList({ study: choice, taken: read });
  await list.first;
  const timer = setInterval(read, STATUS_EVERY_MS);
  show(
    status.alarms,
    h("div", { class: "row" }, h("h1", {}, "Sessions"), list.count,
      h("span", { class: "end row" }, h("label", {}, "Search", list.search), h("label", {}, "Study", choice), h("label", {}, "Sort by", list.sort))),
    list.table,
    status.line,
    studies.length === 0 && h("p", { class: "empty" }, "There are no studies yet. ", h("a", { href: "#/new-study" }, "Make a study"), "."),
  );
  return () => { list.end(); clearInterval(timer); };
}

/** The disk, and one sentence for each thing that needs attention. */
function statusLine() {
  const alarms = h("div", { class: "alarms", role: "alert", hidden: true });
  const line = h("p", { class: "weak small" });
  const load = async () => {
    const s = await get("/v1/library/status");
    alarms.replaceChildren(...s.alarms.map((sentence) => h("p", {}, sentence)));
    alarms.hidden = s.alarms.length === 0;
    line.textContent = [
      s.free_bytes === null ? null : `${bytes(s.free_bytes)} of the disk are free`,
      s.open_sessions > 0 && `${count(s.open_sessions, "open session")}, ${s.silent_sessions} of them silent`,
      s.videos_waiting > 0 && `${count(s.videos_waiting, "video waits", "videos wait")} to be scored`,
    ].filter(Boolean).join(" · ");
  };
  return { alarms, line, load };
}
