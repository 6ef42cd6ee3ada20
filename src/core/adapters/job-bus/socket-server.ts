import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { OpenFolder } from '../files/open-folder.ts';
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
  readonly #folder: OpenFolder;
  readonly #server: Server;
  readonly #history: JobHistory;
  readonly #cancel: () => void;
  readonly #connections = new Set<Socket>();
  readonly #followers = new Set<Socket>();

  private constructor(
    folder: OpenFolder,
    path: string,
    server: Server,
    history: JobHistory,
    cancel: () => void,
  ) {
    this.#folder = folder;
    this.path = path;
    this.#server = server;
    this.#history = history;
    this.#cancel = cancel;
  }

  /**
   * Listens in `folder`, or in a new temporary folder if the path is too long or the file system has no sockets. Closes
   * the folder when it is no longer needed.
   */
  static async listen(
    folder: OpenFolder,
    id: string,
    history: JobHistory,
    cancel: () => void,
  ): Promise<JobSocket> {
    const usual = socketName(id);
    if (Buffer.byteLength(folder.pathOf(usual)) <= MAX_PATH_BYTES) {
      const made = await tryListen(folder.at(usual)).catch(() => undefined);
      if (made) return new JobSocket(folder, folder.pathOf(usual), made, history, cancel).#start();
    }
    await folder[Symbol.asyncDispose]();
    await using parent = await OpenFolder.open(shortTempFolder());
    const own = await parent.makeTemporary('bifract-');
    try {
      const server = await tryListen(own.at(TEMPORARY_NAME));
      return new JobSocket(own, own.pathOf(TEMPORARY_NAME), server, history, cancel).#start();
    } catch (error) {
      await own[Symbol.asyncDispose]();
      await parent.rmdir(basename(own.path)).catch(() => undefined);
      throw error;
    }
  }

  /** Sends an event to all followers; progress at most ten times a second. */
  readonly send = throttleProgress(
    () => PROGRESS_MS,
    (entries) => {
      for (const entry of entries) this.#broadcast(entry);
    },
  );

  /** Delivers what was sent, closes the connections and removes the socket. */
  async close(): Promise<void> {
    const closed = [...this.#connections].map((socket) => {
      socket.end();
      return socket.closed ? undefined : once(socket, 'close').catch(() => undefined);
    });
    const ended = once(this.#server, 'close').catch(() => undefined);
    this.#server.close();
    const timer = new AbortController();
    const timeout = wait(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.all(closed), timeout]);
    timer.abort();
    for (const socket of this.#connections) socket.destroy();
    // The server removes its socket by the path it listens at, which is valid while the folder is open.
    await ended;
    await removeSocket(this.#folder, basename(this.path)).catch(() => undefined);
    await this.#folder[Symbol.asyncDispose]();
    await removeTemporaryFolder(this.path).catch(() => undefined);
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
  // Changing the mode afterwards would follow a link that has taken the place of the socket.
  const mask = process.umask(0o077);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  try {
    await listening;
  } catch (error) {
    server.close();
    throw error;
  }
  return server;
}

const TEMPORARY_NAME = 'job.sock';
const TEMPORARY = /^(.*)\/(bifract-\w{6})\/job\.sock$/s;

/** Name of the socket of a job in the folder of sockets. */
export function socketName(id: string): string {
  return `${id}.sock`;
}

function shortTempFolder(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}

/** Whether there is any temporary folder of this program, of any installation. */
export async function hasTemporaryFolders(): Promise<boolean> {
  await using parent = await OpenFolder.open(shortTempFolder());
  return (await parent.entries()).some(({ name }) => /^bifract-\w{6}$/.test(name));
}

/** The temporary folder of a socket; undefined if its path is not of that form. */
function parseTemporary(path: string): { parent: string; name: string } | undefined {
  const [, parent = '', name = ''] = TEMPORARY.exec(path) ?? [];
  return [tmpdir(), '/tmp'].includes(parent) ? { parent, name } : undefined;
}

/**
 * Opens the temporary folder of a socket that a journal names; undefined if the path is not of that form, or the
 * folder is not private to one of the `owners`.
 */
export async function openTemporaryFolder(
  path: string,
  owners: readonly number[],
): Promise<OpenFolder | undefined> {
  const found = parseTemporary(path);
  if (!found) return undefined;
  await using above = await OpenFolder.open(found.parent);
  const folder = await above.child(found.name);
  const { uid, mode } = await folder.stat();
  if (owners.includes(uid) && (mode & 0o077) === 0) return folder;
  await folder[Symbol.asyncDispose]();
  return undefined;
}

/** Removes a socket that was in a temporary folder, if nothing else is in it, and the folder. */
export async function removeTemporaryFolder(path: string): Promise<void> {
  const found = parseTemporary(path);
  if (!found) return;
  await using above = await OpenFolder.open(found.parent);
  await above.rmdir(found.name);
}

/** Removes an entry if it is a socket. */
export async function removeSocket(folder: OpenFolder, name: string): Promise<void> {
  if ((await folder.lstat(name))?.isSocket()) await folder.unlink(name);
}
