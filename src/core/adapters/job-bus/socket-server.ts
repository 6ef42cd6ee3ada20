import { once } from 'node:events';
import fs from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { errno } from '../disk/errors.ts';
import { boundedLines } from './bounded-lines.ts';
import { type Entry, formatEntry, parseObject, throttleProgress } from './entry.ts';
import type { JobHistory } from './history.ts';

/** Longest socket path that works on every system. */
const MAX_PATH_BYTES = 103;
const MAX_CONNECTIONS = 64;
const MAX_REQUEST_BYTES = 4 << 10;
/** A connection without a request is closed after this time. */
const REQUEST_TIMEOUT_MS = 10_000;
/** A slow follower stops getting progress events, then is disconnected. It can reconnect and catch up. */
const SLOW_BYTES = 1 << 20;
const STUCK_BYTES = 32 << 20;
const PROGRESS_MS = 100;
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * The socket of a job's process. Each message is a line of JSON. The reply to `{"do":"follow","after":N}` is all events
 * after number N, past and future, the reply to `{"do":"cancel"}` is `{"ok":true}`. The mode of its folder keeps other
 * users out.
 */
export class JobSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #history: JobHistory;
  readonly #cancel: () => void;
  readonly #connections = new Set<Socket>();
  readonly #followers = new Set<Socket>();

  private constructor(path: string, server: Server, history: JobHistory, cancel: () => void) {
    this.path = path;
    this.#server = server;
    this.#history = history;
    this.#cancel = cancel;
  }

  /** Listens in `folder`, or in a new temporary folder if the path is too long or the file system has no sockets. */
  static async listen(
    folder: string,
    id: string,
    history: JobHistory,
    cancel: () => void,
  ): Promise<JobSocket> {
    const usual = join(folder, `${id}.sock`);
    if (Buffer.byteLength(usual) <= MAX_PATH_BYTES) {
      const made = await tryListen(usual).catch(() => undefined);
      if (made) return new JobSocket(usual, made, history, cancel).#start();
    }
    const path = join(await fs.mkdtemp(join(shortTempFolder(), 'bifract-')), 'job.sock');
    try {
      return new JobSocket(path, await tryListen(path), history, cancel).#start();
    } catch (error) {
      await fs.rmdir(dirname(path)).catch(() => undefined);
      throw error;
    }
  }

  /** Sends an event to all followers; progress at most ten times a second. */
  readonly send = throttleProgress(PROGRESS_MS, (entries) => {
    for (const entry of entries) this.#broadcast(entry);
  });

  /** Delivers what was sent, closes the connections and removes the socket. */
  async close(): Promise<void> {
    const closed = [...this.#connections].map((socket) => {
      socket.end();
      return socket.closed ? undefined : once(socket, 'close').catch(() => undefined);
    });
    this.#server.close();
    const timer = new AbortController();
    const timeout = wait(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.all(closed), timeout]);
    timer.abort();
    for (const socket of this.#connections) socket.destroy();
    await removeSocket(this.path);
  }

  #start(): this {
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connection', (socket) => this.#accept(socket));
    // Connections must not keep the process alive; the job does.
    this.#server.unref();
    return this;
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    socket.unref();
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.#followers.delete(socket);
    });
    void this.#serve(socket).catch(() => undefined);
  }

  async #serve(socket: Socket): Promise<void> {
    for await (const line of boundedLines(socket, MAX_REQUEST_BYTES)) {
      if (!this.#respond(socket, parseObject(line))) break;
    }
  }

  #respond(socket: Socket, request: Record<string, unknown> | undefined): boolean {
    if (request?.do === 'cancel') {
      this.#cancel();
      socket.write('{"ok":true}\n');
      return true;
    }
    if (request?.do !== 'follow' || this.#followers.has(socket)) return false;
    socket.setTimeout(0);
    this.#followers.add(socket);
    const after = Number.isSafeInteger(request.after) ? (request.after as number) : 0;
    for (const entry of this.#history.entries(after)) socket.write(formatEntry(entry));
    return true;
  }

  #broadcast(entry: Entry): void {
    if (this.#followers.size === 0) return;
    const line = formatEntry(entry);
    for (const socket of this.#followers) {
      if (socket.writableLength > STUCK_BYTES) socket.destroy();
      else if (entry.event.event !== 'job:progress' || socket.writableLength < SLOW_BYTES) socket.write(line);
    }
  }
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

/** Sockets in temporary folders of this program, of any installation. */
export async function temporarySockets(): Promise<string[]> {
  const folder = shortTempFolder();
  const names = (await fs.readdir(folder).catch(() => [])).filter((name) => /^bifract-\w{6}$/.test(name));
  const paths = names.map((name) => join(folder, name, 'job.sock'));
  const existing = await Promise.all(
    paths.map((path) =>
      fs.lstat(path).then(
        (entry) => entry.isSocket(),
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => existing[index]);
}

function shortTempFolder(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}

/** Removes a socket and its temporary folder, if it has one. Never throws. */
export async function removeSocket(path: string): Promise<void> {
  try {
    if (!(await fs.lstat(path)).isSocket()) return;
    await fs.unlink(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') return;
  }
  if (/\/bifract-\w{6}\/job\.sock$/.test(path)) await fs.rmdir(dirname(path)).catch(() => undefined);
}
