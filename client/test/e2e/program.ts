// The real server: `affectograph serve` in a folder of its own.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { need } from '../need';
import { CLIENT } from './browser';
import { IS_TLS, certificate } from './tls';

const PROGRAM = process.env['AFFECTOGRAPH_PROGRAM'] ?? join(CLIENT, '../target/debug/affectograph');

const STUDY = `
name = "smile"
title = "Smile"
[page]
address = "https://example.org"
mask = [".diary"]
content = ["textarea"]
[consent]
required = true
text = "You are recorded."
`;

/** A study that keeps all typed text except secrets. */
const OPEN_STUDY = `
name = "open"
title = "Open"
[page]
address = "https://example.org"
content = ["*"]
[consent]
required = false
`;

/** The reason why the program cannot be tested, or false. */
export const noProgram = (): string | false => need(whyNoProgram());

const whyNoProgram = (): string | false => {
  if (!existsSync(PROGRAM)) return `${PROGRAM} is not built`;
  try {
    execFileSync(PROGRAM, ['serve', '--help'], { stdio: 'pipe' });
    return false;
  } catch {
    return `${PROGRAM} has no \`serve\``;
  }
};

export class Program {
  readonly folder = mkdtempSync(join(tmpdir(), 'affectograph-'));
  readonly sessions = join(this.folder, 'sessions');
  private process: ChildProcess | null = null;
  url = '';

  /** `models`: the folder of the server's networks (default: the project's). `smile`: another study file. */
  constructor(private readonly models?: string, smile = STUDY) {
    for (const [name, study] of [['smile', smile], ['open', OPEN_STUDY]] as const) {
      mkdirSync(join(this.sessions, 'studies', name), { recursive: true });
      writeFileSync(join(this.sessions, 'studies', name, 'study.toml'), study);
    }
  }

  /** The process of the server. */
  get pid(): number {
    return this.process!.pid!;
  }

  run(...args: string[]): string {
    return execFileSync(PROGRAM, [...args], { cwd: join(CLIENT, '..'), env: this.env, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  }

  private get env(): NodeJS.ProcessEnv {
    return { ...process.env, AFFECTOGRAPH_SESSIONS: this.sessions, ...(this.models && { AFFECTOGRAPH_MODELS: this.models }) };
  }

  /** Sets the owner's password. */
  own(password: string): void {
    execFileSync(PROGRAM, ['serve', 'init'], { cwd: join(CLIENT, '..'), env: this.env, input: `${password}\n`, stdio: 'pipe' });
  }

  /** Makes a write key for the pages of one origin. */
  key(origin: string, study = 'smile'): string {
    return this.run('serve', 'key', '--study', study, '--origin', origin).trim().split(/\s/)[0]!;
  }

  /** `more`: further options of `serve`. */
  async start(...more: string[]): Promise<void> {
    const address = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host;
    const tls = IS_TLS && !more.includes('--certificate') ? certificate(this.folder) : [];
    const disk = more.includes('--min-free-gb') ? [] : ['--min-free-gb', '0'];
    const child = spawn(PROGRAM, ['serve', '--address', address, ...disk, ...tls, ...more], {
      cwd: join(CLIENT, '..'), env: this.env, stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    let errors = '';
    child.stderr.on('data', (data: Buffer) => { errors += data.toString(); });
    this.url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString();
        const url = /https?:\/\/\S+/.exec(said)?.[0];
        if (url) resolve(url);
      });
      child.on('exit', () => reject(new Error(`the server ended: ${errors}`)));
    });
  }

  async kill9(): Promise<void> {
    const { process: child } = this;
    if (!child) return;
    this.process = null;
    child.removeAllListeners('exit');
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** A closed session has no record or video to come. While the server closes it, the program may fail to read it. */
  isClosed(session: string): boolean {
    try {
      return (JSON.parse(this.run('show', '--json', session)) as { state: string }).state === 'closed';
    } catch {
      return false;
    }
  }

  /** Session folders, by name. */
  recorded(): string[] {
    for (;;) {
      try {
        const files = readdirSync(this.sessions, { recursive: true }) as string[];
        return files.filter((f) => f.endsWith('session.sqlite')).map((f) => dirname(join(this.sessions, f))).sort();
      } catch (error) {
        // A session was erased while the folders were read.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(this.sessions)) throw error;
      }
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Rows of a session file, read without the program. */
export const query = <Row>(folder: string, sql: string): Row[] => {
  const out = execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 10000', '-json', join(folder, 'session.sqlite'), sql], { maxBuffer: 1e8 }).toString();
  return JSON.parse(out === '' ? '[]' : out) as Row[];
};
