// Requests to the real server by a program in place of a browser.

import assert from 'node:assert/strict';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

export interface Answer { status: number; type: string; detail: string; json: Record<string, unknown> }
/** `from`: the address of this computer from which it is sent. `isFast`: over connections that are kept. */
export interface Sent {
  method?: string;
  path: string;
  token?: string;
  origin?: string | null;
  headers?: Record<string, string>;
  body?: string | Buffer;
  from?: string;
  isFast?: boolean;
}

const kept = { keepAlive: true, maxSockets: 8 };
const FAST = { 'http:': new HttpAgent(kept), 'https:': new HttpsAgent({ ...kept, rejectUnauthorized: false }) };

/** The path is sent as it is, also with `..`. */
export const send = (server: string, { method = 'POST', path, token, origin, headers = {}, body, from, isFast = false }: Sent): Promise<Answer> => {
  const { hostname, port, protocol } = new URL(server);
  const agent = isFast ? FAST[protocol as keyof typeof FAST] : false;
  const options = {
    hostname, port, path, method, rejectUnauthorized: false, agent, timeout: 40_000, localAddress: from,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(origin ? { origin } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const sent = (protocol === 'https:' ? requestHttps : requestHttp)(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        let json: Record<string, unknown> = {};
        try {
          json = JSON.parse(text) as Record<string, unknown>;
        } catch {
          // The test reports it.
        }
        resolve({ status: response.statusCode!, type: String(json['type'] ?? ''), detail: String(json['detail'] ?? ''), json });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
};

export const CONSENT = { given_utc_ms: Date.now(), text_sha256: 'ab'.repeat(32) };
/** The body of a request for a session. */
export const newSession = (change: object = {}): string => JSON.stringify({
  study: 'smile', consent: CONSENT, camera: 'off', client: { version: '0.1.0', user_agent: 'x', language: 'en' }, ...change,
});

export const click = (seq: number, page_ms: number, target = 'button#buy') =>
  ({ stream: 'page', seq, document: 1, page_ms, kind: 'click', data: { target, x_px: 10, y_px: 20, button: 0, buttons: 0 } });
/** A reading of the face, with valence and arousal. */
export const reading = (seq: number, page_ms: number, valence = 0, arousal = 0) =>
  ({ stream: 'affect', seq, document: 1, page_ms, frame: seq, values: [valence, arousal, ...Array<null>(10).fill(null)] });

/** A session that a program has begun. Its only document began with it. */
export class RemoteSession {
  private constructor(
    private readonly server: string, private readonly origin: string, readonly id: string, readonly token: string,
    readonly participant: string, private readonly began_utc_ms: number,
  ) {}

  static async begin(server: string, key: string, origin: string, change: object = {}): Promise<RemoteSession> {
    const { status, detail, json } = await send(server, { path: '/v1/sessions', token: key, origin, body: newSession(change), isFast: true });
    assert.equal(status, 201, detail);
    return new RemoteSession(server, origin, json['session'] as string, json['token'] as string, json['participant'] as string, json['zero_utc_ms'] as number);
  }

  post(what: string, body: object): Promise<Answer> {
    return this.to({ path: what, body: JSON.stringify(body) });
  }

  put(what: string, body: Buffer, headers: Record<string, string>): Promise<Answer> {
    return this.to({ method: 'PUT', path: what, body, headers });
  }

  private to(sent: Sent): Promise<Answer> {
    return send(this.server, { ...sent, path: `/v1/sessions/${this.id}/${sent.path}`, token: this.token, origin: this.origin, isFast: true });
  }

  async records(records: object[]): Promise<void> {
    const clock = { at_ms: 1, offset_ms: this.began_utc_ms, uncertainty_ms: 1 };
    const answer = await this.post('records', { documents: [{ document: 1, time_origin_utc_ms: this.began_utc_ms, clock }], records });
    assert.equal(answer.status, 200, JSON.stringify(answer.json).slice(0, 500));
  }

  async finish(streams: Record<string, number>, video_chunks = 0): Promise<void> {
    const answer = await this.post('finish', { streams, video_chunks });
    assert.equal(answer.status, 200, answer.detail);
  }
}
