// Makes and changes a study.

import { encode, get, post, put } from "./api.js";
import { attempt, h, linesOf, show, showStatus } from "./dom.js";

const EMPTY = {
  title: "", description: "", address: "https://", consent_text: "", consent_required: true, mask: [], content: [], camera: "scores", replay: false,
  max_participants: null, completion_code: "", redirect: "", conditions: [], block_repeats: 0,
};

export function newStudy() {
  const name = h("input", { required: true, pattern: "[A-Za-z0-9]{1,32}", maxlength: 32, autocomplete: "off" });
  const fields = editor(EMPTY, true);
  form("New study", fields, "Make the study", [
    h("label", {}, "Short name: letters and digits. It is in the names of folders and cannot be changed later.", name),
  ], async () => {
    await post("/v1/library/studies", { name: name.value.trim(), form: fields.read() });
    showStatus("The study was made. It needs a write key before a page can record.");
    location.hash = "#/studies";
  });
  name.focus();
}

export async function changeStudy(name) {
  let study = await get(`/v1/library/studies/${encode(name)}`);
  if (!study.is_own) {
    show(h("h1", {}, study.form.title), h("p", { class: "empty" }, "This study comes with the program and cannot be changed here."));
    return;
  }
  const fields = editor(study.form, needsAddress(study.form));
  const file = h("pre", { tabindex: 0 }, study.toml);
  form(`Edit ${study.form.title}`, fields, "Store", [], async () => {
    study = await put(`/v1/library/studies/${encode(name)}`, { before: study.toml, form: fields.read() });
    file.textContent = study.toml;
    showStatus("The study is stored. Sessions that begin from now on use it.");
  }, h("details", { class: "card small" }, h("summary", {}, "The study's file (study.toml)"), file));
}

function form(title, fields, action, before, run, after) {
  const problem = h("p", { class: "loss", role: "alert" });
  const button = h("button", { class: "first" }, action);
  const store = (e) => {
    e.preventDefault();
    attempt(button, problem, run);
  };
  show(
    h("h1", {}, title),
    h("form", { class: "fields", onsubmit: store }, before.length > 0 && h("section", { class: "card fields" }, before), fields.sections, problem,
      h("div", { class: "row" }, button, h("a", { class: "button", href: "#/studies" }, "Back to the studies"))),
    after);
}

/** A study in browsers needs an address. One for the laboratory may have no page, and stays so. */
export const needsAddress = (study) => study.address !== "";

/** The fields, and a function that reads them. */
function editor(study, isAddressNeeded) {
  const text = (value, attributes = {}) => Object.assign(h("input", { autocomplete: "off", ...attributes }), { value });
  const area = (value, rows, attributes = {}) => Object.assign(h("textarea", { rows, ...attributes }), { value });
  const choice = (value, options) => Object.assign(
    h("select", {}, options.map(([name, shown]) => h("option", { value: name }, shown))), { value: String(value) });
  const of = {
    title: text(study.title, { required: true, maxlength: 200 }),
    description: area(study.description, 2),
    address: text(study.address, { required: isAddressNeeded }),
    consent_required: Object.assign(h("input", { type: "checkbox" }), { checked: study.consent_required }),
    consent_text: area(study.consent_text, 8),
    mask: area(study.mask.join("\n"), 3, { spellcheck: "false", placeholder: ".diary" }),
    content: area(study.content.join("\n"), 3, { spellcheck: "false", placeholder: "#comment" }),
    camera: choice(study.camera, [["off", "not used"], ["scores", "scored in the browser, no picture is sent"], ["video", "video is sent and scored here"], ["null", "the page decides"]]),
    replay: choice(study.replay, [["false", "no"], ["true", "yes"], ["null", "the page decides"]]),
    max_participants: text(study.max_participants ?? "", { type: "number", min: 1, step: 1 }),
    conditions: area(study.conditions.join("\n"), 3, { placeholder: "control\ntreatment" }),
    block_repeats: text(study.block_repeats || "", { type: "number", min: 0, step: 1, max: 100 }),
    completion_code: text(study.completion_code, { maxlength: 100 }),
    redirect: text(study.redirect, { type: "url", pattern: "https://.*", placeholder: "https://app.prolific.com/submissions/complete?cc=…" }),
  };
  const read = () => ({
    title: of.title.value.trim(), description: of.description.value, address: of.address.value.trim(),
    consent_text: of.consent_text.value, consent_required: of.consent_required.checked,
    mask: linesOf(of.mask), content: linesOf(of.content),
    camera: of.camera.value === "null" ? null : of.camera.value, replay: JSON.parse(of.replay.value),
    max_participants: of.max_participants.value === "" ? null : Number(of.max_participants.value),
    conditions: linesOf(of.conditions), block_repeats: Number(of.block_repeats.value || 0),
    completion_code: of.completion_code.value.trim(), redirect: of.redirect.value.trim(),
  });
  const card = (title, ...content) => h("section", { class: "card fields" }, h("h2", {}, title), content);
  const sections = [
    card("Study", h("label", {}, "Title", of.title), h("label", {}, "Description", of.description), h("label", {}, isAddressNeeded ? "Address of the study's page" : "Address of the study's page. Empty: it has no page.", of.address)),
    card("Consent",
      h("label", { class: "check" }, of.consent_required, "No session begins without consent"),
      h("label", {}, "Text of the consent dialog. Empty: the library describes what is recorded.", of.consent_text)),
    card("What is recorded",
      h("label", {}, "Camera", of.camera),
      h("label", {}, "Record the page itself for replay", of.replay),
      h("label", {}, "Fields whose typed text is recorded: CSS selectors, one in each line. For other fields only the length is recorded.", of.content),
      h("label", {}, "Masked elements, of which only the occurrence of events is recorded: CSS selectors, one in each line", of.mask)),
    card("Participants",
      h("label", {}, "Largest number of participants. Empty: no limit.", of.max_participants),
      h("label", {}, "Conditions for a balanced random assignment, one in each line. Empty: none.", of.conditions),
      h("label", {}, "How often each condition occurs in a block of the assignment. Empty: twice.", of.block_repeats)),
    card("At the end",
      h("label", {}, "Completion code", of.completion_code),
      h("label", {}, "Address to go to. {participant} in it is replaced by the identifier of the participant's link.", of.redirect)),
  ];
  return { sections, read };
}
