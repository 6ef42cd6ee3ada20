import { once } from 'node:events';
import fs from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { boundedLines } from './bounded-lines.ts';
import { errno } from './disk-errors.ts';
import type { Entry, JobHistory } from './job-history.ts';
import { parseObject } from './read-journal.ts';

/** Longest path that a socket can have on every system. */
const MOST_PATH_BYTES = 103;
const MOST_LISTENERS = 64;
const MOST_REQUEST_BYTES = 4 << 10;
/** Who has said nothing by then is turned away. */
const SILENCE_MS = 10_000;
/** A listener that reads too slowly gets no progress any more, then is cut off: it comes back and catches up. */
const SLOW_BYTES = 1 << 20;
const STUCK_BYTES = 32 << 20;
const PROGRESS_MS = 100;
const FAREWELL_MS = 1_000;

/**
 * The socket on which the process of a job answers, a line of JSON each way: `{"do":"follow","after":N}` is answered
 * with the events after the N-th and all that come, `{"do":"cancel"}` with `{"ok":true}`. Its folder keeps others out.
 */
export class JobSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #history: JobHistory;
  readonly #cancel: () => void;
  readonly #open = new Set<Socket>();
  readonly #followers = new Set<Socket>();
  #progressAt = 0;
  #held: Entry | undefined;

  private constructor(path: string, server: Server, history: JobHistory, cancel: () => void) {
    this.path = path;
    this.#server = server;
    this.#history = history;
    this.#cancel = cancel;
  }

  /** Listens in `folder`, or in one of its own in the system's where the path would be too long, or the file system takes no sockets. */
  static async listen(
    folder: string,
    id: string,
    history: JobHistory,
    cancel: () => void,
  ): Promise<JobSocket> {
    const usual = join(folder, `${id}.sock`);
    if (Buffer.byteLength(usual) <= MOST_PATH_BYTES) {
      const made = await tryListen(usual).catch(() => undefined);
      if (made) return new JobSocket(usual, made, history, cancel).#begin();
    }
    const path = join(await fs.mkdtemp(join(shortTemporary(), 'bifract-')), 'job.sock');
    try {
      return new JobSocket(path, await tryListen(path), history, cancel).#begin();
    } catch (error) {
      await fs.rmdir(dirname(path)).catch(() => undefined);
      throw error;
    }
  }

  /** Sends an event to whoever follows; progress ten times a second at most. */
  send(entry: Entry): void {
    const isProgress = entry.event.event === 'job:progress';
    if (isProgress && performance.now() - this.#progressAt < PROGRESS_MS) {
      this.#held = entry;
      return;
    }
    if (this.#held && !isProgress) this.#tell(this.#held);
    this.#held = undefined;
    if (isProgress) this.#progressAt = performance.now();
    this.#tell(entry);
  }

  /** Says good-bye: what was sent is delivered to whoever reads, the socket goes. */
  async close(): Promise<void> {
    const gone = [...this.#open].map((socket) => {
      socket.end();
      return socket.closed ? undefined : once(socket, 'close').catch(() => undefined);
    });
    this.#server.close();
    const patience = new AbortController();
    const late = wait(FAREWELL_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([Promise.all(gone), late]);
    patience.abort();
    for (const socket of this.#open) socket.destroy();
    await removeSocket(this.path);
  }

  #begin(): this {
    this.#server.maxConnections = MOST_LISTENERS;
    this.#server.on('connection', (socket) => this.#greet(socket));
    // The job keeps its process alive, not whoever looks at it.
    this.#server.unref();
    return this;
  }

  #greet(socket: Socket): void {
    this.#open.add(socket);
    socket.unref();
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#followers.delete(socket);
    });
    void this.#listenTo(socket).catch(() => undefined);
  }

  async #listenTo(socket: Socket): Promise<void> {
    for await (const line of boundedLines(socket, MOST_REQUEST_BYTES)) {
      if (!this.#answer(socket, parseObject(line))) break;
    }
  }

  #answer(socket: Socket, request: Record<string, unknown> | undefined): boolean {
    if (request?.do === 'cancel') {
      this.#cancel();
      socket.write('{"ok":true}\n');
      return true;
    }
    if (request?.do !== 'follow' || this.#followers.has(socket)) return false;
    socket.setTimeout(0);
    this.#followers.add(socket);
    const after = Number.isSafeInteger(request.after) ? (request.after as number) : 0;
    for (const entry of this.#history.entries(after)) socket.write(lineOf(entry));
    return true;
  }

  #tell(entry: Entry): void {
    if (this.#followers.size === 0) return;
    const line = lineOf(entry);
    for (const socket of this.#followers) {
      if (socket.writableLength > STUCK_BYTES) socket.destroy();
      else if (entry.event.event !== 'job:progress' || socket.writableLength < SLOW_BYTES) socket.write(line);
    }
  }
}

function lineOf({ seq, event }: Entry): string {
  return `${JSON.stringify({ seq, ...event })}\n`;
}

async function tryListen(path: string): Promise<Server> {
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen(path);
  try {
    await listening;
    await fs.chmod(path, 0o600);
  } catch (error) {
    server.close();
    throw error;
  }
  return server;
}

/** Sockets of ours, of any installation, in folders made for them alone. */
export async function ownSockets(): Promise<string[]> {
  const folder = shortTemporary();
  const names = (await fs.readdir(folder).catch(() => [])).filter((name) => /^bifract-\w{6}$/.test(name));
  const paths = names.map((name) => join(folder, name, 'job.sock'));
  const there = await Promise.all(
    paths.map((path) =>
      fs.lstat(path).then(
        (entry) => entry.isSocket(),
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => there[index]);
}

function shortTemporary(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}

/** Removes a socket of ours, and the folder that was made for it alone. Never throws. */
export async function removeSocket(path: string): Promise<void> {
  try {
    if (!(await fs.lstat(path)).isSocket()) return;
    await fs.unlink(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') return;
  }
  if (/\/bifract-\w{6}\/job\.sock$/.test(path)) await fs.rmdir(dirname(path)).catch(() => undefined);
}
