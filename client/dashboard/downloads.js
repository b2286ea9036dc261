// Downloads of a session or a study, in several formats.

import { h } from "./dom.js";

const FORMATS = [
  ["download", "Files of the session", "session.sqlite and videos, for affectograph"],
  ["export?format=csv", "CSV", "one table for each stream"],
  ["export?format=tidy", "CSV, all sessions together", "long.csv, wide.csv, events.csv and a code book"],
  ["export?format=bids", "BIDS", "a dataset of behaviour"],
  ["export?format=parquet", "Parquet", "for DuckDB, Polars and Spark"],
];

/** A menu. Each download is a tar archive. */
export function downloads(path) {
  const menu = h("details", { class: "menu" }, h("summary", { class: "button" }, "Download"),
    h("ul", { class: "card" }, FORMATS.map(([what, name, contents]) =>
      h("li", {}, h("a", { href: `${path}/${what}`, download: true }, name), h("span", { class: "weak small" }, contents)))));
  menu.addEventListener("click", (e) => { if (e.target.closest("a")) menu.open = false; });
  menu.addEventListener("keydown", (e) => { if (e.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
  return menu;
}
