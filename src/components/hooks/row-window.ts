import { asBifractError, type BrowsedRow } from '../../core/index.ts';
import { CHUNK_ROWS, chunksOf } from '../view/browse.ts';
import type { RowChunk, RowLine } from '../view/file-types.ts';
import { sanitize } from '../view/sanitize.ts';

/** Rows of an archive around those that are shown. */
export interface RowWindow {
  state(): ReadonlyMap<number, RowChunk>;
  /** Rows `from … to` are to be shown, `ahead … aheadTo` perhaps soon. */
  want(shown: readonly [from: number, to: number], ahead: readonly [from: number, to: number]): void;
  /** Tries again what could not be read. */
  retry(): void;
  close(): void;
}

type Read = (from: number, count: number, options: { signal: AbortSignal }) => Promise<BrowsedRow[]>;

/** Chunks that are kept: what a tall terminal shows, a page around it, and the way back. */
const KEPT = 16;
/** More of a line than any terminal is wide. */
const LINE_KEPT = 1_000;

function lineOf({ index, ts, raw }: BrowsedRow): RowLine {
  // A copy: a slice would keep the whole line in memory.
  const head = Buffer.from(raw.slice(0, LINE_KEPT)).toString();
  return { index, ts, line: sanitize(head) };
}

/** Reads one chunk at a time, those on the screen first; what is no longer wanted is given up. */
export function createRowWindow(read: Read, changed: () => void): RowWindow {
  let state: ReadonlyMap<number, RowChunk> = new Map();
  let wanted: readonly number[] = [];
  let reading: { chunk: number; controller: AbortController } | undefined;
  let closed = false;

  function keep(chunk: number, rows: RowChunk): void {
    const next = new Map(state).set(chunk, rows);
    for (const old of next.keys()) {
      if (next.size <= KEPT) break;
      if (!wanted.includes(old)) next.delete(old);
    }
    state = next;
    changed();
  }

  async function readChunk(chunk: number, controller: AbortController): Promise<void> {
    const { signal } = controller;
    try {
      const rows = await read(chunk * CHUNK_ROWS, CHUNK_ROWS, { signal });
      if (!signal.aborted) keep(chunk, rows.map(lineOf));
    } catch (error) {
      if (!signal.aborted) keep(chunk, asBifractError(error).report());
    }
  }

  function readNext(): void {
    const chunk = wanted.find((one) => !state.has(one));
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
    want(shown, ahead) {
      const next = [...new Set([...chunksOf(...shown), ...chunksOf(...ahead)])];
      if (next.length === wanted.length && next.every((chunk, index) => chunk === wanted[index])) return;
      wanted = next;
      if (reading && !wanted.includes(reading.chunk)) reading.controller.abort();
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
