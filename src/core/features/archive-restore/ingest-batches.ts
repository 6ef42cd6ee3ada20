import { parseLine, type RowRange } from '../../format/index.ts';

const NEWLINE = 0x0a;

/** Log lines to send together. */
export interface LineBatch {
  lines: Buffer;
  rows: number;
  /** Position after its last row in the file, skipped rows included. */
  end: number;
}

export interface BatchLimits {
  rows: number;
  bytes: number;
}

/** Rows that cannot be sent through ingest. */
export interface SkippedLines {
  /** Log lines that contain newlines, and empty ones: ingest would turn them into several rows, or none. */
  newlines: number;
  empty: number;
}

/**
 * The log lines of an archive's rows in batches, starting after the first `from` rows of the range. A later run may
 * use other batch boundaries: it starts after the last accepted row.
 */
export async function* rawBatches(
  blocks: AsyncIterable<Buffer>,
  { range, from, limits }: { range: RowRange | undefined; from: number; limits: BatchLimits },
  skipped: SkippedLines,
): AsyncGenerator<LineBatch> {
  let parts: Buffer[] = [];
  let [rows, bytes, position] = [0, 0, 0];
  const batch = (): LineBatch => {
    const done = { lines: Buffer.concat(parts), rows, end: position };
    parts = [];
    rows = bytes = 0;
    return done;
  };
  for await (const block of blocks) {
    for (const raw of rowsInRange(block, range)) {
      if (++position <= from) continue;
      if (!isSendable(raw, skipped)) continue;
      parts.push(raw, Buffer.of(NEWLINE));
      rows++;
      bytes += raw.length + 1;
      if (rows >= limits.rows || bytes >= limits.bytes) yield batch();
    }
  }
  if (rows > 0) yield batch();
}

function* rowsInRange(block: Buffer, range: RowRange | undefined): Generator<Buffer> {
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

function isSendable(raw: Buffer, skipped: SkippedLines): boolean {
  if (raw.length === 0) skipped.empty++;
  else if (raw.includes(NEWLINE)) skipped.newlines++;
  else return true;
  return false;
}
