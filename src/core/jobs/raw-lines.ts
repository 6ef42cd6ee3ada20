import { parseLine, type RowRange } from '../format/index.ts';

const NEWLINE = 0x0a;

/** Log lines to be sent together, and the rows that they end at. */
export interface LineBatch {
  lines: Buffer;
  /** Rows in it. */
  rows: number;
  /** Rows of the file up to its end, those left out among them. */
  end: number;
}

export interface BatchLimits {
  rows: number;
  bytes: number;
}

/** What of a file cannot go through ingest. */
export interface LeftOut {
  /** Log lines with newlines in them, and empty ones: ingest would make several of them, or none. */
  newlines: number;
  empty: number;
}

/**
 * The log lines of an archive's rows in batches, from row number `from` of those in the range on. Where batches end does
 * not matter to a later run: it begins with the row after the last one that was accepted.
 */
export async function* rawBatches(
  blocks: AsyncIterable<Buffer>,
  { range, from, limits }: { range: RowRange | undefined; from: number; limits: BatchLimits },
  left_out: LeftOut,
): AsyncGenerator<LineBatch> {
  let parts: Buffer[] = [];
  let [rows, bytes, seen] = [0, 0, 0];
  const batch = (): LineBatch => {
    const done = { lines: Buffer.concat(parts), rows, end: seen };
    parts = [];
    rows = bytes = 0;
    return done;
  };
  for await (const block of blocks) {
    for (const raw of wanted(block, range)) {
      if (++seen <= from) continue;
      if (!canGo(raw, left_out)) continue;
      parts.push(raw, Buffer.of(NEWLINE));
      rows++;
      bytes += raw.length + 1;
      if (rows >= limits.rows || bytes >= limits.bytes) yield batch();
    }
  }
  if (rows > 0) yield batch();
}

function* wanted(block: Buffer, range: RowRange | undefined): Generator<Buffer> {
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(NEWLINE, start) + 1 || block.length;
    const row = parseLine(block.subarray(start, end));
    start = end;
    if ('malformed' in row) continue;
    if (range) {
      const ms = row.ts === null ? Number.NaN : Date.parse(row.ts);
      if (!(ms >= range.from_ms && ms < range.to_ms)) continue;
    }
    yield row.raw;
  }
}

function canGo(raw: Buffer, left_out: LeftOut): boolean {
  if (raw.length === 0) left_out.empty++;
  else if (raw.includes(NEWLINE)) left_out.newlines++;
  else return true;
  return false;
}
