// The studies: progress, keys, the code that a page needs, and links for recruiting.

import { encode, get, post, put, erase } from "./api.js";
import { confirmFirst } from "./dialog.js";
import { again, count, h, linesOf, show, showStatus } from "./dom.js";
import { downloads } from "./downloads.js";
import { FOLDER, recruitingLinks, snippets } from "./snippet.js";

export async function studies() {
  const { studies, library } = await get("/v1/library/studies");
  show(
    h("div", { class: "row" }, h("h1", {}, "Studies"), h("span", { class: "end row" }, h("a", { class: "button", href: "#/new-study" }, "New study"))),
    studies.length ? studies.map((s) => card(s, library)) : h("p", { class: "empty" }, "No studies yet."));
}

function card(s, library) {
  const key = s.keys.find((k) => !k.is_revoked);
  return h("section", { class: "card study" },
    h("div", { class: "row" },
      h("h2", {}, s.title), h("span", { class: "weak small" }, `${s.name} · ${count(s.sessions, "session")}`),
      h("span", { class: "end row" },
        s.is_own && h("a", { class: "button", href: `#/study/${encode(s.name)}` }, "Edit"),
        s.sessions > 0 && h("a", { class: "button", href: `#/average/${encode(s.name)}` }, "Analyse events"),
        s.sessions > 0 && downloads(`/v1/library/studies/${encode(s.name)}`))),
    s.problem && h("p", { class: "loss" }, s.problem),
    progress(s),
    keys(s),
    key && code(s, key, library),
    key && s.address && invitations(s.address));
}

/** Participants of browsers, and how they are spread over the conditions. */
function progress(s) {
  if (s.participants === 0 && s.max_participants === null && s.conditions.length === 0) return null;
  const text = s.max_participants === null ? count(s.participants, "participant") : `${s.participants} of ${count(s.max_participants, "participant")}`;
  return h("div", { class: "row small" },
    s.max_participants !== null && h("progress", { max: s.max_participants, value: Math.min(s.participants, s.max_participants), "aria-label": "Participants" }),
    h("span", {}, text),
    s.conditions.map((c) => h("span", { class: "tag" }, `${c.name}: ${c.participants}`)));
}

function keys(s) {
  const path = `/v1/library/studies/${encode(s.name)}/keys`;
  const row = (k) => h("li", { class: "row" },
    h("code", {}, k.key), h("span", { class: "small" }, k.is_revoked ? "revoked" : `for ${k.origins.join(", ")}`),
    !k.is_revoked && h("span", { class: "end row" },
      h("button", { type: "button", class: "plain", onclick: () => askOrigins("Pages that may use this key", k.origins, "Store", (origins) => put(`/v1/library/keys/${encode(k.key)}`, { origins })) }, "Change pages…"),
      h("button", { type: "button", class: "plain", onclick: () => revoke(k.key) }, "Revoke…")));
  return h("details", { class: "small", open: s.keys.length === 0 },
    h("summary", {}, s.keys.length ? `Write keys (${s.keys.filter((k) => !k.is_revoked).length})` : "No write key: no page can record for this study"),
    h("ul", { class: "keys" }, s.keys.map(row)),
    h("button", { type: "button", onclick: () => askOrigins("New write key", [], "Make the key", (origins) => post(path, { origins })) }, "New write key…"));
}

function askOrigins(title, before, action, run) {
  const origins = h("textarea", { rows: 3, required: true, placeholder: "https://example.org" });
  origins.value = before.join("\n");
  confirmFirst({
    title, action,
    text: h("label", {}, "Origins of the pages, one in each line: scheme and host, without a path", origins),
    run: async () => {
      await run(linesOf(origins));
      showStatus("Pages of these origins can record from now on.");
      again();
    },
  });
}

const revoke = (key) => confirmFirst({
  title: "Revoke this write key?", action: "Revoke",
  text: "No page can begin a session with it any more. Sessions that have begun go on. It cannot be undone.",
  run: async () => {
    await erase(`/v1/library/keys/${encode(key)}`);
    again();
  },
});

const copied = (text) => h("button", {
  type: "button", class: "plain copy", onclick: () => navigator.clipboard.writeText(text).then(
    () => showStatus("Copied."), () => showStatus("The browser does not permit copying. Select the text and copy it.")),
}, "Copy");

const block = (text) => h("div", { class: "code" }, h("pre", { tabindex: 0 }, text), copied(text));

function code(s, key, library) {
  const all = snippets(location.origin, s.name, key.key, library, s.is_camera_decided);
  return h("details", { class: "small" }, h("summary", {}, "Code for your page"),
    h("p", {}, "The library comes from this server. The page keeps this version, also after an update of the server:"),
    block(all.hosted),
    h("details", {}, h("summary", {}, "With the library on your own site"),
      h("p", {}, "Plain HTML. Copy ", h("code", {}, "dist/"), " of the npm package ", h("code", {}, "affectograph"), " to ", h("code", {}, FOLDER), " of your site:"),
      block(all.html),
      h("p", {}, "With a bundler, after ", h("code", {}, "npm install"), " of the package:"),
      block(all.module)),
    h("details", {}, h("summary", {}, "At the end of the study"),
      h("p", {}, "The page ends the recording, and shows the completion code or goes to the address of the study:"),
      block(all.end)));
}

function invitations(address) {
  return h("details", { class: "small" }, h("summary", {}, "Links for recruiting"),
    h("p", {}, "The service puts its identifier of the participant into the link. This server stores only a keyed hash of it, and gives a pseudonym. The same person gets the same pseudonym and condition again."),
    recruitingLinks(address).map(([name, link]) => h("div", {}, h("p", { class: "weak" }, name), block(link))));
}
