// The list of sessions: in pages, searched, and updated with what has changed.

import { encode, get, listen } from "./api.js";
import { again, clock, count as counted, h, dateTime, later, sessionTitle, showStatus } from "./dom.js";

const PAGE = 100;
const STATES = {
  recording: "recording", silent: "silent", finished: "video being scored", closed: "closed", recovered: "recovered",
  crashed: "interrupted", damaged: "damaged",
};

/** The choices of the order: the parameters of the request, and their text. */
const ORDERS = [
  ["started descending", "Newest"], ["started ascending", "Oldest"], ["participant ascending", "Participant"], ["study ascending", "Study"],
];

/**
 * Returns the elements, a promise of the first page, and a function that ends the updates. They end too if that page fails.
 * `study` is a select element. `participant` limits the list to one participant. `taken` is called after each answer.
 */
export function sessionList({ study, participant = "", taken = () => {} }) {
  const rows = h("tbody");
  const count = h("span", { class: "weak small", role: "status" });
  const search = h("input", { type: "search", placeholder: "sub-07" });
  const sort = h("select", {}, ORDERS.map(([value, text]) => h("option", { value }, text)));
  const more = h("button", { type: "button", hidden: true, onclick: () => load({ after: next }) }, "Show more");
  let sessions = [];
  let next = null;
  let version = null;
  // A request replaces an earlier one of its kind. The whole list replaces all.
  const turns = { whole: 0, update: 0, page: 0 };

  const ask = (parameters) => {
    const [by, order] = sort.value.split(" ");
    const all = Object.entries({ limit: PAGE, study: study?.value ?? "", participant, search: search.value.trim(), sort: by, order, ...parameters });
    return get(`/v1/library/sessions?${new URLSearchParams(all.filter(([, value]) => value !== "" && value !== null))}`);
  };
  const load = async (parameters = {}) => {
    const kind = parameters.after ? "page" : parameters.since ? "update" : "whole";
    const mine = ++turns[kind];
    const { whole } = turns;
    try {
      const answer = await ask(parameters);
      // Another request was sent meanwhile. Its answer is newer.
      if (mine !== turns[kind] || whole !== turns.whole) return;
      take(answer, Boolean(parameters.after));
    } catch (e) {
      showStatus(e.message);
    }
  };
  const take = (answer, isNextPage) => {
    if (answer.is_update) sessions = updated(sessions, answer, next);
    else sessions = isNextPage ? [...sessions, ...answer.sessions] : answer.sessions;
    if (!answer.is_update) next = answer.next;
    if (!isNextPage) version = answer.version;
    more.hidden = next === null;
    count.textContent = `${counted(answer.total, "session")}, ${answer.open} open`;
    draw(rows, sessions);
    taken();
  };

  // Several changes at once cause one request.
  // The order of an update is only known for the newest first. Otherwise the list is read again.
  const changed = later(400, () => load(sort.value === ORDERS[0][0] ? { since: version } : {}));
  const filtered = later(250, () => load());
  search.addEventListener("input", filtered);
  study?.addEventListener("change", () => load());
  sort.addEventListener("change", () => load());
  // Other programs may change the folder. The server does not know about this.
  const timer = setInterval(() => sessions.length <= PAGE && load(), 60000);
  // A refusal means that the login has ended.
  const stop = listen("/v1/library/live", { changed }, again);
  const table = h("section", { class: "card scroll" },
    h("table", { class: "folds" },
      h("thead", {}, h("tr", {}, ["Participant", "Study", "Started"].map((t) => h("th", {}, t)),
        ["Length", "Events", "Lost"].map((t) => h("th", { class: "number" }, t)), h("th", {}, "Grade"), h("th", {}, "State"))),
      rows),
    more);
  const end = () => { stop(); clearInterval(timer); changed.cancel(); filtered.cancel(); };
  const first = ask({}).then((answer) => take(answer, false)).catch((e) => { end(); throw e; });
  return { count, search, sort, table, first, end };
}

/** The shown sessions after an update. New sessions that are older than the shown ones come with the next page. */
function updated(sessions, { sessions: changed, removed }, next) {
  const news = new Map(changed.map((s) => [s.name, s]));
  const gone = new Set(removed);
  const kept = sessions.filter((s) => !gone.has(s.name)).map((s) => news.get(s.name) ?? s);
  const known = new Set(kept.map((s) => s.name));
  const oldest = next === null ? "" : kept.at(-1)?.started_utc ?? "";
  const added = changed.filter((s) => !known.has(s.name) && (s.started_utc ?? "") >= oldest);
  return [...added, ...kept].sort((a, b) => (b.started_utc ?? "").localeCompare(a.started_utc ?? ""));
}

/** Keeps the elements of unchanged rows, so that the keyboard focus stays in its row. */
function draw(rows, sessions) {
  const old = new Map([...rows.children].map((r) => [r.dataset.name, r]));
  const fresh = sessions.map((s) => {
    const { silent_s, ...shown } = s;
    const is = JSON.stringify(shown);
    const kept = old.get(s.name);
    if (kept?.dataset.is === is) return kept;
    const made = row(s);
    Object.assign(made.dataset, { name: s.name, is });
    return made;
  });
  if (!fresh.length) fresh.push(h("tr", {}, h("td", { colspan: 8, class: "empty" }, "No sessions.")));
  if (fresh.length === rows.children.length && fresh.every((r, k) => r === rows.children[k])) return;
  const at = document.activeElement?.closest?.("tr")?.dataset.name;
  rows.replaceChildren(...fresh);
  fresh.find((r) => at && r.dataset.name === at)?.querySelector("a")?.focus();
}

function row(s) {
  const cell = (label, content, attributes) => h("td", { "data-label": label, ...attributes }, content);
  return h("tr", {},
    h("td", {}, h("a", { href: `#/session/${encode(s.name)}` }, sessionTitle(s))),
    cell("", s.study ?? "–"),
    cell("", dateTime(s.started_utc)),
    cell("Length", clock(s.length_s ?? (Date.now() - Date.parse(s.started_utc)) / 1000), { class: "number" }),
    cell("Events", s.events ?? "–", { class: "number" }),
    cell("Lost", s.lost ? h("span", { class: "loss" }, s.lost) : (s.lost ?? "–"), { class: "number" }),
    cell("Grade", s.grade ? h("span", { class: "grade" }, s.grade) : "–"),
    h("td", {}, h("span", { class: `lamp ${s.state}`, title: s.problem ?? "" }, STATES[s.state] ?? s.state)));
}
