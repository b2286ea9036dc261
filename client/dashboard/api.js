// All requests to the server. Errors are problem details (RFC 9457), whose sentence is shown unchanged.

let csrf = "";

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** The server's response. A refusal is thrown. */
async function answered(method, path, body) {
  const headers = {};
  if (method !== "GET") headers["X-Affectograph-Csrf"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Refused(0, "The server cannot be reached. Check the network and try again.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new Refused(response.status, problem?.detail ?? `The server answered ${response.status}.`);
}

async function request(method, path, body) {
  const response = await answered(method, path, body);
  return response.status === 204 || response.status === 202 ? null : response.json().catch(() => null);
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);
export const put = (path, body) => request("PUT", path, body);
export const erase = (path) => request("DELETE", path);

export async function resume() {
  csrf = (await get("/v1/login")).csrf;
}

export async function login(password) {
  csrf = (await request("POST", "/v1/login", { password })).csrf;
}

export async function logout() {
  await request("POST", "/v1/logout");
  csrf = "";
}

const RETRY_DELAY_MS = 1500;

/**
 * Receives server-sent events until the returned function is called. The browser restores lost connections. If the server
 * refuses this, `refused` is called.
 */
export function listen(path, handlers, refused = () => {}) {
  const source = new EventSource(path);
  let retry;
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(refused, RETRY_DELAY_MS);
  });
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (e) => {
      if (name === "ended") source.close();
      handle(e.data ? JSON.parse(e.data) : null);
    });
  }
  return () => { source.close(); clearTimeout(retry); };
}

/** The lines of a long answer, each a JSON value. */
export async function lines(path) {
  const text = await (await answered("GET", path)).text();
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

export const encode = encodeURIComponent;
