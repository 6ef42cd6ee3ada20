import { asBifractError, type BrowsedRow } from '../../../core/index.ts';
import { sanitize } from '../../../core/text/sanitize.ts';
import { CHUNK_ROWS, chunksOf } from '../../view/browse.ts';
import type { RowChunk, RowLine } from '../../view/types.ts';

/** A cache of the rows around those on the screen. */
export interface RowWindow {
  state(): ReadonlyMap<number, RowChunk>;
  /** Requests the rows on the screen, and then those that may be shown next (`from` included, `to` not). */
  request(shown: readonly [from: number, to: number], ahead: readonly [from: number, to: number]): void;
  /** Reads failed chunks again. */
  retry(): void;
  close(): void;
}

type Read = (from: number, count: number, options: { signal: AbortSignal }) => Promise<BrowsedRow[]>;

/** Chunks in the cache: enough for a tall terminal, a page around it, and some way back. */
const MAX_CHUNKS = 16;

/** Characters of a line that can be scrolled to; its page has all of them. */
export const MAX_LINE = 4_000;

/** A row for the screen: its line from an offset on. */
export function lineOf({ index, ts, raw }: BrowsedRow, from = 0): RowLine {
  // Copied, because a slice would keep the full line in memory.
  const part = Buffer.from(raw.slice(from, from + MAX_LINE)).toString();
  return { index, ts, line: sanitize(part), ...(from > 0 ? { cut: true } : {}) };
}

/** Reads one chunk at a time, those on the screen first; cancels reads that are no longer requested. */
export function createRowWindow(read: Read, changed: () => void): RowWindow {
  let state: ReadonlyMap<number, RowChunk> = new Map();
  let requested: readonly number[] = [];
  let reading: { chunk: number; controller: AbortController } | undefined;
  let closed = false;

  function store(chunk: number, rows: RowChunk): void {
    const next = new Map(state).set(chunk, rows);
    for (const old of next.keys()) {
      if (next.size <= MAX_CHUNKS) break;
      if (!requested.includes(old)) next.delete(old);
    }
    state = next;
    changed();
  }

  async function readChunk(chunk: number, controller: AbortController): Promise<void> {
    const { signal } = controller;
    try {
      const rows = await read(chunk * CHUNK_ROWS, CHUNK_ROWS, { signal });
      if (!signal.aborted)
        store(
          chunk,
          rows.map((row) => lineOf(row)),
        );
    } catch (error) {
      if (!signal.aborted) store(chunk, asBifractError(error).report());
    }
  }

  function readNext(): void {
    const chunk = requested.find((one) => !state.has(one));
    if (closed || reading || chunk === undefined) return;
    const controller = new AbortController();
    reading = { chunk, controller };
    void readChunk(chunk, controller).then(() => {
      reading = undefined;
      readNext();
    });
  }

  return {
    state: () => state,
    request(shown, ahead) {
      const next = [...new Set([...chunksOf(...shown), ...chunksOf(...ahead)])];
      if (next.length === requested.length && next.every((chunk, index) => chunk === requested[index]))
        return;
      requested = next;
      if (reading && !requested.includes(reading.chunk)) reading.controller.abort();
      readNext();
    },
    retry() {
      state = new Map([...state].filter(([, chunk]) => !('code' in chunk)));
      readNext();
    },
    close() {
      closed = true;
      reading?.controller.abort();
    },
  };
}
