// The first view: the list of sessions, and the studies with the code that a page needs to record for them.

import { encode, get } from "./api.js";
import { h, show } from "./dom.js";
import { sessionList } from "./sessions.js";
import { FOLDER, snippets } from "./snippet.js";

export async function home() {
  const studies = (await get("/v1/library/studies")).studies;
  const choice = h("select", { id: "study" }, h("option", { value: "" }, "All studies"),
    studies.map((s) => h("option", { value: s.name }, s.title)));
  const list = sessionList(choice);
  try {
    await list.first;
  } catch (e) {
    list.end();
    throw e;
  }
  show(
    h("div", { class: "row" }, h("h1", {}, "Sessions"), list.count,
      h("span", { class: "end row" }, h("label", {}, "Search", list.search), h("label", {}, "Study", choice))),
    list.table,
    h("h1", {}, "Studies"),
    studies.length ? studies.map(card) : h("p", { class: "empty" }, "No studies yet."),
  );
  return list.end;
}

function card(s) {
  const key = s.keys.find((k) => !k.is_revoked);
  const code = key && snippets(location.origin, s.name, key.key);
  return h("section", { class: "card" },
    h("div", { class: "row" },
      h("h2", {}, s.title), h("span", { class: "weak small" }, `${s.name} · ${s.sessions} sessions`),
      h("span", { class: "end row" },
        h("a", { class: "button", href: `#/average/${encode(s.name)}` }, "Average around events"),
        s.sessions > 0 && h("a", { class: "button", href: `/v1/library/studies/${encode(s.name)}/download`, download: true }, "Download all"))),
    s.problem && h("p", { class: "loss" }, s.problem),
    s.keys.length === 0 && h("p", { class: "weak small" }, "This study has no write key, so no page can record for it. Make one with ", h("code", {}, `affectograph serve key --study ${s.name} --origin https://…`)),
    s.keys.map((k) => h("p", { class: "small" }, h("code", {}, k.key), ` for ${k.origins.join(", ")}`, k.is_revoked && " (revoked)")),
    code && h("details", { class: "small" }, h("summary", {}, "Code for your page"),
      h("p", {}, "Plain HTML. Copy ", h("code", {}, "dist/"), " of the npm package ", h("code", {}, "affectograph"), " to ", h("code", {}, FOLDER), " of your site:"),
      h("pre", { tabindex: 0 }, code.html),
      h("p", {}, "With a bundler, after ", h("code", {}, "npm install"), " of the package:"),
      h("pre", { tabindex: 0 }, code.module)));
}
