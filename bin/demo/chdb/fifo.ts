import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

const MAX_WAIT_MS = 20;

/** Named pipes: the engine reads rows from one like a file, while the body of a request is written into it. */
export class Fifos {
  readonly #folder: string;
  readonly #idle: string[] = [];

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
  }

  acquire(): string {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const path = join(this.#folder, randomUUID());
    execFileSync('mkfifo', ['-m', '600', path]);
    return path;
  }

  /** Returns a pipe for reuse if both ends closed cleanly; otherwise it may still have a reader and is deleted. */
  release(path: string, clean: boolean): void {
    if (clean) this.#idle.push(path);
    else rmSync(path, { force: true });
  }
}

/**
 * Writes a body into a pipe, with backpressure. `done` aborts when the statement has ended, maybe without ever opening the
 * pipe. If the body breaks off, `onBroken` must kill the statement **before** the pipe is closed: the engine would take
 * the close for the end of the rows.
 */
export async function feed(
  body: Readable,
  path: string,
  done: AbortSignal,
  onBroken: () => Promise<void>,
): Promise<void> {
  const fd = await openWriter(path, done);
  if (fd === undefined) {
    body.resume();
    return;
  }
  const writer = new Socket({ fd, readable: false, writable: true });
  const nextEvent = writerEvents(writer, done);
  const stopped = () => done.aborted || writer.destroyed;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (stopped()) break;
      if (!writer.write(chunk) && !stopped()) await nextEvent();
    }
    writer.end();
    while (!stopped() && !writer.writableFinished) await nextEvent();
  } catch (error) {
    await onBroken();
    throw error;
  } finally {
    writer.destroy();
    body.resume();
  }
}

/** Opens the pipe for writing, which succeeds once the engine has opened it for reading. */
async function openWriter(path: string, done: AbortSignal): Promise<number | undefined> {
  for (let ms = 0; !done.aborted; ms = Math.min(ms + 1, MAX_WAIT_MS)) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await wait(ms);
    }
  }
  return undefined;
}

/** Returns a function that waits for the next event of the writer, or for `done`. */
function writerEvents(writer: Socket, done: AbortSignal): () => Promise<void> {
  let wake = () => {};
  for (const event of ['drain', 'error', 'close', 'finish']) writer.on(event, () => wake());
  done.addEventListener('abort', () => wake());
  return () =>
    new Promise((resolve) => {
      wake = resolve;
    });
}
