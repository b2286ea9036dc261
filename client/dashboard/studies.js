// The list of sessions, updated live, and the studies with the code that a page needs to record for them.

import { encode, get, listen } from "./api.js";
import { bytes, clock, h, dateTime, showStatus, show } from "./dom.js";

const STATES = {
  recording: "recording", finished: "video being scored", closed: "closed", recovered: "recovered",
  crashed: "interrupted", damaged: "damaged",
};

export async function home() {
  const studies = (await get("/v1/library/studies")).studies;
  const choice = h("select", { id: "study" }, h("option", { value: "" }, "All studies"),
    studies.map((s) => h("option", { value: s.name }, s.title)));
  const rows = h("tbody");
  const count = h("span", { class: "weak small" });
  const list = async () => {
    const query = choice.value ? `?study=${encode(choice.value)}` : "";
    const { sessions, videos_waiting } = await get(`/v1/library/sessions${query}`);
    const open = sessions.filter((s) => s.state === "recording").length;
    const waiting = videos_waiting ? `, ${videos_waiting} videos wait to be scored` : "";
    count.textContent = `${sessions.length} sessions, ${open} recording${waiting}`;
    update(rows, sessions);
  };
  choice.addEventListener("change", () => list().catch((e) => showStatus(e.message)));
  await list();
  show(
    h("div", { class: "row" }, h("h1", {}, "Sessions"), count, h("label", { class: "end" }, "Study", choice)),
    h("section", { class: "card scroll" },
      h("table", { class: "folds" },
        h("thead", {}, h("tr", {}, ["Participant", "Study", "Started"].map((t) => h("th", {}, t)),
          ["Length", "Events", "Lost"].map((t) => h("th", { class: "number" }, t)), h("th", {}, "Grade"), h("th", {}, "State"))),
        rows)),
    h("h1", {}, "Studies"),
    studies.length ? studies.map(card) : h("p", { class: "empty" }, "No studies yet."),
  );
  let due;
  // Several changes at once cause one request.
  const changed = () => { clearTimeout(due); due = setTimeout(() => list().catch((e) => showStatus(e.message)), 400); };
  const timer = setInterval(changed, 15000);
  const stop = listen("/v1/library/live", { changed });
  return () => { stop(); clearInterval(timer); clearTimeout(due); };
}

/** Keeps the elements of unchanged rows, so that the keyboard focus stays in its row. */
function update(rows, sessions) {
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
  if (!fresh.length) fresh.push(h("tr", {}, h("td", { colspan: 8, class: "empty" }, "No sessions yet.")));
  if (fresh.length === rows.children.length && fresh.every((r, k) => r === rows.children[k])) return;
  const at = document.activeElement?.closest?.("tr")?.dataset.name;
  rows.replaceChildren(...fresh);
  fresh.find((r) => at && r.dataset.name === at)?.querySelector("a")?.focus();
}

function row(s) {
  const cell = (label, content, attributes) => h("td", { "data-label": label, ...attributes }, content);
  const name = `${s.participant ?? "?"} · ses-${String(s.number ?? 0).padStart(2, "0")}`;
  return h("tr", {},
    h("td", {}, h("a", { href: `#/session/${encode(s.name)}` }, name)),
    cell("", s.study ?? "–"),
    cell("", dateTime(s.started_utc)),
    cell("Length", clock(s.length_s ?? (Date.now() - Date.parse(s.started_utc)) / 1000), { class: "number" }),
    cell("Events", s.events ?? "–", { class: "number" }),
    cell("Lost", s.lost ? h("span", { class: "loss" }, s.lost) : (s.lost ?? "–"), { class: "number" }),
    cell("Grade", s.grade ? h("span", { class: "grade" }, s.grade) : "–"),
    h("td", {}, h("span", { class: `lamp ${s.state}`, title: s.problem ?? "" }, STATES[s.state] ?? s.state)));
}

function card(s) {
  const key = s.keys.find((k) => !k.is_revoked);
  const embed = key && `const recorder = createRecorder({\n  server: ${JSON.stringify(location.origin)},\n  key: ${JSON.stringify(key.key)},\n  study: ${JSON.stringify(s.name)},\n  camera: "scores",\n});\nawait recorder.start();`;
  return h("section", { class: "card" },
    h("div", { class: "row" },
      h("h2", {}, s.title), h("span", { class: "weak small" }, `${s.name} · ${s.sessions} sessions`),
      h("span", { class: "end row" },
        h("a", { class: "button", href: `#/average/${encode(s.name)}` }, "Average around events"),
        s.sessions > 0 && h("a", { class: "button", href: `/v1/library/studies/${encode(s.name)}/download`, download: true }, "Download all"))),
    s.problem && h("p", { class: "loss" }, s.problem),
    s.keys.length === 0 && h("p", { class: "weak small" }, "This study has no write key, so no page can record for it. Make one with ", h("code", {}, `affectograph serve key --study ${s.name} --origin https://…`)),
    s.keys.map((k) => h("p", { class: "small" }, h("code", {}, k.key), ` for ${k.origins.join(", ")}`, k.is_revoked && " (revoked)")),
    embed && h("details", { class: "small" }, h("summary", {}, "Code for your page"), h("pre", { tabindex: 0 }, embed)));
}
