// A small in-memory server of protocol v1 for tests of the client. It refuses everything that the protocol does not allow.

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CLIENT } from './browser';

export interface Row {
  stream: string;
  seq: number;
  document: number;
  page_ms: number;
  kind?: string;
  data?: Record<string, unknown>;
  values?: (number | null)[];
  frame?: number;
  gap?: { until_ms: number; reason: string; lost: number };
}
interface Doc { document: number; time_origin_utc_ms: number; clock: { offset_ms: number; uncertainty_ms: number } | null }

export interface Session {
  id: string;
  asked: Record<string, unknown>;
  rows: Map<string, Row>;
  documents: Map<number, Doc>;
  chunks: Map<number, Buffer>;
  finished: { streams: Record<string, number>; video_chunks: number } | null;
  doubles: number;
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
};

export class ProtocolServer {
  readonly sessions = new Map<string, Session>();
  mask: string[] = [];
  content: string[] = [];
  /** The study's consent text. Null for a server that knows no invitations. */
  consentText: string | null = null;
  /** Why no session can begin. */
  closedBecause: string | null = null;
  /** The study has no place for new participants. */
  isFull = false;
  /** A proxy answers for the server. */
  isBehindProxy = false;
  /** What happens to requests for an invitation and for a session: `silent` accepts them and never answers, `late` begins
   * a session after 5 s. */
  begins: 'yes' | 'silent' | 'late' | { status: number; retryAfter_s: number } = 'yes';
  invitations = 0;
  /** Sessions that visitors have deleted. */
  readonly withdrawn: string[] = [];
  private http: Server | null = null;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The only session. */
  get session(): Session {
    if (this.sessions.size !== 1) throw new Error(`${this.sessions.size} sessions`);
    return [...this.sessions.values()][0]!;
  }

  async start(): Promise<this> {
    this.http = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.send(response, 500, { detail: String(error) });
      });
    });
    await new Promise<void>((resolve) => this.http!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.http.address() as { port: number }).port;
    return this;
  }

  /** As with `kill -9`: connections break, and acknowledged data is kept. */
  async kill(): Promise<void> {
    const { http } = this;
    this.http = null;
    if (!http) return;
    const closed = new Promise((resolve) => http.close(resolve));
    http.closeAllConnections();
    await closed;
  }

  private send(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status, {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json', 'access-control-allow-origin': '*',
    });
    response.end(JSON.stringify(body));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, {
        'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, POST, PUT, DELETE', 'access-control-max-age': '7200',
        'access-control-allow-headers': 'authorization, content-type, content-encoding',
      });
      response.end();
      return;
    }
    const body = await bodyOf(request);
    if (this.isBehindProxy) {
      response.writeHead(404, { 'content-type': 'text/html', 'access-control-allow-origin': '*' });
      response.end('<h1>Not Found</h1>');
      return;
    }
    const url = new URL(request.url ?? '/', this.url);
    const [, v1, what, id, verb, n] = url.pathname.split('/');
    if (what === 'models') {
      const bytes = await readFile(join(CLIENT, '../models', id!, verb!));
      response.writeHead(200, { 'access-control-allow-origin': '*' });
      response.end(bytes);
      return;
    }
    if (v1 !== 'v1') return this.send(response, 404, { detail: 'no such place' });
    if (what === 'clock') return this.send(response, 200, { utc_ms: performance.timeOrigin + performance.now() });
    if (what === 'studies' && this.consentText !== null) return this.invite(request, response);
    if (what === 'sessions' && !id) {
      if (this.begins === 'silent') return;
      if (this.begins === 'late') await new Promise((resolve) => { setTimeout(resolve, 5000); });
      else if (this.begins !== 'yes') {
        response.setHeader('retry-after', this.begins.retryAfter_s);
        response.setHeader('access-control-expose-headers', 'retry-after');
        return this.send(response, this.begins.status, { detail: 'All places are taken.' });
      }
      return this.begin(request, body, response);
    }
    if (this.withdrawn.includes(id ?? '')) {
      return request.method === 'DELETE' ? this.send(response, 200, { erased: true })
        : this.send(response, 410, { type: 'urn:affectograph:gone', detail: 'gone' });
    }
    const session = this.sessions.get(id ?? '');
    if (!session || request.headers.authorization !== `Bearer token-${id}`) {
      return this.send(response, 404, { type: 'urn:affectograph:not-found', detail: 'no such session' });
    }
    if (request.method === 'DELETE' && verb === undefined) {
      this.sessions.delete(id!);
      this.withdrawn.push(id!);
      return this.send(response, 200, { session: id, erased: true });
    }
    if (verb === 'records') {
      this.take(session, JSON.parse(body.toString()) as { documents: Doc[]; records: Row[] });
      return this.send(response, 200, { committed: this.committed(session) });
    }
    if (verb === 'video') {
      session.chunks.set(Number(n), body);
      return this.send(response, 200, { chunks: session.chunks.size });
    }
    if (verb === 'finish') {
      const asked = JSON.parse(body.toString()) as NonNullable<Session['finished']>;
      const committed = this.committed(session);
      const missing = Object.entries(asked.streams).filter(([stream, count]) => committed[stream] !== count);
      if (missing.length > 0) return this.send(response, 409, { detail: 'records are missing', missing: { streams: missing } });
      session.finished = asked;
      return this.send(response, 200, { committed });
    }
    this.send(response, 404, { detail: 'no such place' });
  }

  private invite(request: IncomingMessage, response: ServerResponse): void {
    this.invitations += 1;
    if (this.begins === 'silent') return;
    if (request.headers.authorization !== 'Bearer key') return this.send(response, 401, { detail: 'this key is not known' });
    this.send(response, 200, {
      title: 'Shop', consent: { required: true, text: this.consentText }, mask: this.mask, content: this.content,
      open: this.closedBecause === null, ...(this.isFull && { is_full: true }), ...(this.closedBecause === null ? {} : { closed_because: this.closedBecause }),
    });
  }

  private begin(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    if (request.headers.authorization !== 'Bearer key') return this.send(response, 401, { detail: 'this key is not known' });
    const id = `session${this.sessions.size + this.withdrawn.length + 1}`;
    const asked = JSON.parse(body.toString()) as Record<string, unknown>;
    this.sessions.set(id, {
      id, asked, rows: new Map(), documents: new Map(),
      chunks: new Map(), finished: null, doubles: 0,
    });
    this.send(response, 201, {
      session: id, token: `token-${id}`, participant: asked.participant ?? `sub-0${this.sessions.size}`, number: this.sessions.size, zero_utc_ms: Date.now(),
      mask: this.mask, content: this.content, max_batch_bytes: 1_048_576, max_video_chunk_bytes: 8_388_608, committed: {},
    });
  }

  private take(session: Session, { documents, records }: { documents: Doc[]; records: Row[] }): void {
    for (const d of documents) session.documents.set(d.document, d);
    for (const record of records) {
      const key = `${record.stream} ${record.seq}`;
      const known = session.rows.get(key);
      if (known && JSON.stringify(known) !== JSON.stringify(record)) throw new Error(`${key} was used twice`);
      session.doubles += known ? 1 : 0;
      session.rows.set(key, record);
    }
  }

  private committed(session: Session): Record<string, number> {
    const all: Record<string, number> = {};
    for (const { stream } of session.rows.values()) {
      all[stream] ??= 0;
      while (session.rows.has(`${stream} ${all[stream]}`)) all[stream] += 1;
    }
    return all;
  }
}

export const rowsOf = (session: Session, stream: string): Row[] =>
  [...session.rows.values()].filter((r) => r.stream === stream).sort((a, b) => a.seq - b.seq);
