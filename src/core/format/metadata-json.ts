import { damaged, unsupported } from './format-errors.ts';
import { type End, type FrameEntry, HEAD_VERSION, type Head, type Trailer } from './metadata.ts';

/** Parses a head frame's payload. Keeps unknown members; a newer version is `UNSUPPORTED`. */
export function parseHead(payload: Buffer, at: number): Head {
  return checkHead(parseJson(payload, at, 'head'), at);
}

/** Parses an end frame's payload. */
export function parseEnd(payload: Buffer, at: number): End {
  return checkEnd(parseJson(payload, at, 'end'), at);
}

export function parseTrailer(json: Buffer, at: number): Trailer {
  const trailer = parseJson(json, at, 'trailer');
  const { head, end, index } = trailer;
  if (!Array.isArray(index)) throw damaged(at, 'the trailer has no index');
  return {
    head: checkHead(asObject(head, at, 'head'), at),
    end: checkEnd(asObject(end, at, 'end'), at),
    index: index.map((entry) => checkEntry(asObject(entry, at, 'index'), at)),
  };
}

function checkHead(head: Record<string, unknown>, at: number): Head {
  if (typeof head.v === 'number' && head.v > HEAD_VERSION) {
    const hint = 'Use a newer version of bifract, or recover the file by hand: see docs/format.md.';
    throw unsupported(
      `File format version ${head.v} is not supported (newest supported: ${HEAD_VERSION})`,
      hint,
    );
  }
  const known = head.kind === 'archive' || head.kind === 'backup';
  if (head.v !== HEAD_VERSION || !known || head.end !== true) throw damaged(at, 'the head is invalid');
  return head as unknown as Head;
}

function checkEnd(end: Record<string, unknown>, at: number): End {
  const counts = [end.rows, end.lines, end.bytes].every(isCount);
  if (!counts || typeof end.sha256 !== 'string') throw damaged(at, 'the end frame is invalid');
  return end as unknown as End;
}

function checkEntry(entry: Record<string, unknown>, at: number): FrameEntry {
  if (![entry.offset, entry.size, entry.plain, entry.rows].every(isCount)) {
    throw damaged(at, 'the index is invalid');
  }
  return entry as unknown as FrameEntry;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseJson(bytes: Buffer, at: number, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(at, `the ${what} is not valid JSON`, cause);
  }
  return asObject(value, at, what);
}

function asObject(value: unknown, at: number, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw damaged(at, `the ${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}
