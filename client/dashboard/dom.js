// Creates elements. Text is never interpreted as markup, so that recorded text cannot run code in this page.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...shown(children));
  return element;
}

/** A child that is `undefined`, `null` or `false` is left out. */
const shown = (children) => children.flat().filter((c) => c !== undefined && c !== null && c !== false);

export function show(...children) {
  const main = document.getElementById("main");
  main.replaceChildren(...shown(children));
  return main;
}

let hiding;
export function showStatus(sentence) {
  const status = document.getElementById("status");
  status.textContent = sentence;
  clearTimeout(hiding);
  hiding = setTimeout(() => (status.textContent = ""), 6000);
}

/** Opens the current view again. */
export const again = () => dispatchEvent(new HashChangeEvent("hashchange"));

/** Runs what a button asks for. Meanwhile the button is disabled. An error is shown in `problem`. True if there was none. */
export async function attempt(button, problem, run) {
  problem.textContent = "";
  button.disabled = true;
  try {
    await run();
    return true;
  } catch (e) {
    problem.textContent = e.message;
    return false;
  } finally {
    button.disabled = false;
  }
}

/** The lines of a textarea, without empty ones. */
export const linesOf = (field) => field.value.split("\n").map((line) => line.trim()).filter(Boolean);

/** A function that calls `run` once, `delay_ms` after the last of several calls. */
export function later(delay_ms, run) {
  let due;
  const call = () => { clearTimeout(due); due = setTimeout(run, delay_ms); };
  call.cancel = () => clearTimeout(due);
  return call;
}

/** `1 session`, `2 sessions` */
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** `sub-07 · ses-02` */
export const sessionTitle = ({ participant, number }) => `${participant ?? "?"} · ses-${String(number ?? 0).padStart(2, "0")}`;

/** A number with a minus sign in place of the hyphen. */
export const withMinus = (number) => String(number).replace("-", "−");

/** `00:12:41` */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.floor(seconds));
  return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((n) => String(n).padStart(2, "0")).join(":");
}

/** With milliseconds. Rounded first, so that 1.9996 s is not 1.000 s. */
export function exactClock(seconds) {
  const ms = Math.max(0, Math.round(seconds * 1000));
  return `${clock(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}`;
}

export function bytes(n) {
  if (n >= 1e9) return `${(n / 1e9).toFixed(1)} GB`;
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : `${Math.ceil(n / 1e3)} kB`;
}

export function dateTime(utc) {
  return utc ? new Date(utc).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "–";
}

export function signed(value) {
  return Number.isFinite(value) ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2) : "–";
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
