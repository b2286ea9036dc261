// Everything that is asked of the server. A refusal is a problem (RFC 9457), and its sentence is shown as it is.

let csrf = "";

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

async function ask(method, path, body) {
  const headers = {};
  if (method !== "GET") headers["X-Affectograph-Csrf"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Refused(0, "The server cannot be reached. Check the network and try again.");
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer?.detail ?? `The server answered ${response.status}.`);
  return answer;
}

export const get = (path) => ask("GET", path);
export const erase = (path) => ask("DELETE", path);

export async function resume() {
  csrf = (await get("/v1/login")).csrf;
}

export async function login(password) {
  csrf = (await ask("POST", "/v1/login", { password })).csrf;
}

export async function logout() {
  await ask("POST", "/v1/logout");
  csrf = "";
}

const AGAIN_AFTER_MS = 1500;

/**
 * Server-sent events until the returned function is called. Lost connections are taken up again by the browser; where
 * the server refuses that, `refused` hears it.
 */
export function listen(path, handlers, refused = () => {}) {
  const source = new EventSource(path);
  let due;
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) due = setTimeout(refused, AGAIN_AFTER_MS);
  });
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (e) => {
      if (name === "ended") source.close();
      handle(e.data ? JSON.parse(e.data) : null);
    });
  }
  return () => { source.close(); clearTimeout(due); };
}

export const encode = encodeURIComponent;
