import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { boundedLines } from './bounded-lines.ts';
import type { Entry } from './job-history.ts';
import { parseEntry, parseObject } from './read-journal.ts';

/** Results of a job may be long lists. */
const MOST_EVENT_BYTES = 64 << 20;
const MOST_ANSWER_BYTES = 4 << 10;
const ANSWER_MS = 10_000;

/** A job's events after the `after`-th as its process tells them, until it hangs up. Throws where nobody listens. */
export async function* followSocket(
  path: string,
  job: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<Entry> {
  const socket = await open(path, signal);
  try {
    socket.write(`${JSON.stringify({ do: 'follow', after })}\n`);
    for await (const line of boundedLines(socket, MOST_EVENT_BYTES)) {
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

/** Asks the process of a job to end it; false where it does not answer. */
export async function cancelBySocket(path: string, signal?: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.timeout(ANSWER_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  let socket: Socket | undefined;
  try {
    socket = await open(path, either);
    socket.write('{"do":"cancel"}\n');
    for await (const line of boundedLines(socket, MOST_ANSWER_BYTES)) return parseObject(line)?.ok === true;
  } catch {
    signal?.throwIfAborted();
  } finally {
    socket?.destroy();
  }
  return false;
}

/** Connects; a moment of too many connections is waited out. The signal destroys the socket at any time. */
async function open(path: string, signal: AbortSignal | undefined, tries = 5): Promise<Socket> {
  signal?.throwIfAborted();
  const socket = connect({ path, signal });
  // An error that comes between two reads must not end the process.
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
