import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { boundedLines } from './bounded-lines.ts';
import { type Entry, parseEntry, parseObject } from './entry.ts';

/** The result of a job may be a long list. */
const MAX_EVENT_BYTES = 64 << 20;
const MAX_RESPONSE_BYTES = 4 << 10;
const RESPONSE_TIMEOUT_MS = 10_000;

/** Events of a job after number `after`, until its process closes the connection. Throws if it cannot be reached. */
export async function* followSocket(
  path: string,
  job: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<Entry> {
  const socket = await open(path, signal);
  try {
    socket.write(`${JSON.stringify({ do: 'follow', after })}\n`);
    for await (const line of boundedLines(socket, MAX_EVENT_BYTES)) {
      const entry = parseEntry(line, job);
      if (entry) yield entry;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    socket.destroy();
  }
}

/** Requests a job's process to cancel; false if it does not respond. */
export async function cancelBySocket(path: string, signal?: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  let socket: Socket | undefined;
  try {
    socket = await open(path, either);
    socket.write('{"do":"cancel"}\n');
    for await (const line of boundedLines(socket, MAX_RESPONSE_BYTES)) return parseObject(line)?.ok === true;
  } catch {
    signal?.throwIfAborted();
  } finally {
    socket?.destroy();
  }
  return false;
}

/** Whether no process listens at a socket any more. */
export async function isAbandoned(path: string): Promise<boolean> {
  try {
    (await open(path, AbortSignal.timeout(RESPONSE_TIMEOUT_MS))).destroy();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  }
}

/** Connects, and retries if there are too many connections. The signal destroys the socket at any time. */
async function open(path: string, signal: AbortSignal | undefined, tries = 5): Promise<Socket> {
  signal?.throwIfAborted();
  const socket = connect({ path, signal });
  // An error between two reads must not crash this process.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries === 0) throw error;
    await wait(50);
    return open(path, signal, tries - 1);
  }
}
