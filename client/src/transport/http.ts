// The requests of protocol v1 and their answers. It does not store or repeat anything.

import { startsWith } from '../natives/js';
import { json } from '../natives/plain';
import { joined } from '../natives/lists';
import { background } from '../natives/promise';
import type { Camera } from '../options';
import type { Completion } from '../state';
import type { Ping } from './clock';
import type { Chunk, DocumentInfo } from './store';

/** An unsuccessful answer. `message` is the server's sentence, if there is one. */
export class Refused extends Error {
  constructor(readonly status: number, message: string, readonly retry_after_ms: number | null, readonly body: Problem) {
    super(message);
  }

  /** The server itself refused. A proxy in front of it has other answers, for example 404 while the server is away. */
  get isOfServer(): boolean { return this.body.type !== undefined && startsWith(this.body.type, 'urn:affectograph:'); }
  /** The session cannot continue. The same request would get the same answer. */
  get isFinal(): boolean { return this.isOfServer && (this.isForbidden || this.status === 404 || this.status === 410); }
  /** The server has no such session, or it was deleted. */
  get isGone(): boolean { return this.body.type === 'urn:affectograph:not-found' || this.body.type === 'urn:affectograph:gone'; }
  /** The key or the token is not accepted. */
  get isForbidden(): boolean { return this.status === 401 || this.status === 403; }
  /** Some records were not understood. All others are on the server's disk. */
  get isPartly(): boolean { return this.body.committed !== undefined && this.status === 422; }
  get isTooLarge(): boolean { return this.status === 413; }
  get isNotUnderstood(): boolean { return this.status === 400 || this.status === 415 || this.status === 422; }
}

export interface Problem {
  /** `urn:affectograph:…`, a code for each kind of refusal. */
  type?: string;
  title?: string;
  detail?: string;
  /** Present if some records were refused and all others stored. Each refused record was replaced with a gap. */
  committed?: Record<string, number>;
  refused?: { stream: string; seq: number; why: string }[];
}

export interface Started {
  session: string;
  token: string;
  participant: string;
  number: number;
  zero_utc_ms: number;
  /** Absent if the study has no conditions. */
  condition?: string;
  mask: string[];
  content: string[];
  max_batch_bytes: number;
  /** The study lets visitors read what is stored of them. Servers of version 0.1.0 do not send it. */
  own_data?: boolean;
}

/** What a page has to know before it asks for consent. */
export interface Invitation {
  consent: { required: boolean; text: string };
  mask: string[];
  content: string[];
  /** The most that the page may use of the camera. Absent if the page decides. */
  camera?: Camera;
  /** Whether the page is recorded for replay. Absent if the page decides. */
  replay?: boolean;
  /** Whether a session could begin now. */
  open: boolean;
  closed_because?: string;
  /** The study has no place for a new participant. Those that it has can go on. */
  is_full?: boolean;
}

export interface StartRequest {
  study: string;
  participant?: string;
  /** The identifier in the participant's recruiting link. */
  link?: string;
  consent: { given_utc_ms: number; text_sha256: string | null };
  camera: string;
  client: { version: string; user_agent: string; language: string; screen: string };
}

/** A request is given up after this time. */
const PATIENCE_MS = 20_000;
/** Browsers send at most 64 KiB while a page is being left: one batch in transit, and one at the end. */
export const KEEPALIVE_BYTES = 30_000;
const WORTH_PACKING = 4096;

const request = fetch.bind(globalThis);

const refusal = async (response: Response): Promise<Refused> => {
  let body: Problem = {};
  try {
    body = await response.json() as Problem;
  } catch {
    // The page of a proxy. The status is sufficient.
  }
  const after = Number(response.headers.get('retry-after') ?? 'x');
  const message = body.detail ?? body.title ?? `the server answered ${response.status}`;
  return new Refused(response.status, message, Number.isFinite(after) ? after * 1000 : null, body);
};

const ask = async (url: string, init: RequestInit): Promise<Response> => {
  // No cookies are sent, because a cookie of the site can identify the visitor.
  const response = await request(url, {
    credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(PATIENCE_MS), ...init,
  });
  if (!response.ok) throw await refusal(response);
  return response;
};

const bearer = (token: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more });
const JSON_TYPE = { 'content-type': 'application/json' };

const gzip = async (body: string): Promise<{ body: BodyInit; headers: Record<string, string> }> => {
  if (body.length < WORTH_PACKING || typeof CompressionStream === 'undefined') return { body, headers: JSON_TYPE };
  const packed = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
  return { body: await new Response(packed).arrayBuffer(), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } };
};

export const batchBody = (documents: readonly DocumentInfo[], records: readonly string[]): string =>
  `{"documents":${json(documents)},"records":[${joined(records, ',')}]}`;

export class Api {
  readonly base: string;

  constructor(server: string) {
    this.base = `${server}/v1`;
  }

  /** One reading of the server's clock. `received` is the arrival of the first byte, because the server reads its clock before. */
  async ping(): Promise<Ping> {
    const sent_ms = performance.now();
    const response = await ask(`${this.base}/clock`, {});
    const received_ms = performance.now();
    const { utc_ms } = await response.json() as { utc_ms: number };
    if (!Number.isFinite(utc_ms)) throw new Error('the server returned no time');
    return { sent_ms, received_ms, server_utc_ms: utc_ms };
  }

  /** `signal` ends the request. */
  async invitation(key: string, study: string, signal: AbortSignal): Promise<Invitation> {
    const init = { headers: bearer(key), signal };
    return await (await ask(`${this.base}/studies/${encodeURIComponent(study)}/invitation`, init)).json() as Invitation;
  }

  async start(key: string, body: StartRequest): Promise<Started> {
    const init = { method: 'POST', headers: bearer(key, JSON_TYPE), body: json(body) };
    return await (await ask(`${this.base}/sessions`, init)).json() as Started;
  }

  async records(session: string, token: string, batch: string): Promise<Record<string, number>> {
    const { body, headers } = await gzip(batch);
    const keepalive = (typeof body === 'string' ? batch.length * 2 : (body as ArrayBuffer).byteLength) < KEEPALIVE_BYTES;
    const init = { method: 'POST', headers: bearer(token, headers), body, keepalive };
    return (await (await ask(`${this.base}/sessions/${session}/records`, init)).json() as { committed: Record<string, number> })
      .committed;
  }

  /** Sends while the page is being left. The answer is not awaited, and the records are sent again later. */
  recordsOnLeaving(session: string, token: string, batch: string): void {
    const init = { method: 'POST', headers: bearer(token, JSON_TYPE), body: batch, keepalive: true, signal: null };
    void background(() => ask(`${this.base}/sessions/${session}/records`, init));
  }

  async video(session: string, token: string, { n, bytes }: Chunk): Promise<void> {
    const headers = bearer(token, { 'content-type': bytes.type || 'video/webm' });
    await ask(`${this.base}/sessions/${session}/video/${n}`, { method: 'PUT', headers, body: bytes });
  }

  /** Deletes the session. Resolves when the server confirms it. It may be repeated. */
  async withdraw(session: string, token: string): Promise<void> {
    await ask(`${this.base}/sessions/${session}`, { method: 'DELETE', headers: bearer(token) });
  }

  /** What the server has stored of the session, as JSON. Large sessions take longer than other requests. */
  async ownData(session: string, token: string): Promise<Blob> {
    return await (await ask(`${this.base}/sessions/${session}/data`, { headers: bearer(token), signal: null })).blob();
  }

  /** What the study gives at the end, if anything. */
  async finish(session: string, token: string, streams: Record<string, number>, video_chunks: number): Promise<Completion | null> {
    const init = { method: 'POST', headers: bearer(token, JSON_TYPE), body: json({ streams, video_chunks }) };
    const answer = await (await ask(`${this.base}/sessions/${session}/finish`, init)).json() as { completion?: Completion };
    return answer.completion ?? null;
  }
}
