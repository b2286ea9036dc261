// Shows the view of an address. Each view returns a function that ends it.

import { analysis } from "./analysis.js";
import { logout, login, resume } from "./api.js";
import { h, showStatus, show } from "./dom.js";
import { home } from "./home.js";
import { participant } from "./participant.js";
import { session } from "./session.js";
import { studies } from "./studies.js";
import { changeStudy, newStudy } from "./study.js";

const views = [
  [/^#\/session\/([^/]+)$/, session],
  [/^#\/participant\/([^/]+)$/, participant],
  [/^#\/average\/([^/]+)$/, analysis],
  [/^#\/studies$/, studies],
  [/^#\/new-study$/, newStudy],
  [/^#\/study\/([^/]+)$/, changeStudy],
  [/^(?:#\/?)?$/, home],
];
let end = () => {};
let turn = 0;

async function go() {
  end();
  end = () => {};
  const mine = ++turn;
  const address = location.hash;
  const found = views.map(([pattern, view]) => [address.match(pattern), view]).find(([match]) => match);
  if (!found) return void (location.hash = "#/");
  try {
    const ended = await found[1](...found[0].slice(1).map(decodeURIComponent));
    if (mine === turn) end = ended ?? (() => {});
    else ended?.(); // another view was opened meanwhile
  } catch (e) {
    if (e.status === 401) return showLogin();
    show(h("p", { class: "empty" }, e.message), h("p", { class: "empty" }, h("a", { href: "#/" }, "Back to all sessions")));
  }
}

function nav() {
  const leave = async () => {
    await logout().catch((e) => showStatus(e.message));
    document.getElementById("nav").replaceChildren();
    showLogin();
  };
  document.getElementById("nav").replaceChildren(
    h("a", { href: "#/" }, "Sessions"),
    h("a", { href: "#/studies" }, "Studies"),
    h("button", { class: "plain", type: "button", onclick: leave }, "Log out"),
  );
}

function showLogin() {
  end();
  end = () => {};
  const password = h("input", { type: "password", autocomplete: "current-password", required: true, id: "password" });
  const problem = h("p", { class: "loss", role: "alert" });
  const enter = async (e) => {
    e.preventDefault();
    problem.textContent = "";
    try {
      await login(password.value);
    } catch (e) {
      problem.textContent = e.message;
      password.select();
      return;
    }
    nav();
    go();
  };
  show(
    h("form", { class: "card login", onsubmit: enter },
      h("h1", {}, "Owner's dashboard"),
      h("label", {}, "Password", password),
      problem,
      h("button", { class: "first" }, "Log in")),
  );
  password.focus();
}

addEventListener("hashchange", () => {
  if (location.hash === "#main") return;
  // Moves the focus to the new view and scrolls to its top.
  go().then(() => { document.getElementById("main").focus({ preventScroll: true }); scrollTo(0, 0); });
});

try {
  await resume();
  nav();
  await go();
} catch {
  showLogin();
}
