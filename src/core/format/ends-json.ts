import { ENDS_VERSION, type End, type FrameEntry, type Head, type Trailer } from './ends.ts';
import { damaged, unsupported } from './faults.ts';

/** Reads a head frame's payload. Unknown members are kept; a newer version is `UNSUPPORTED`. */
export function parseHead(payload: Buffer, at: number): Head {
  return checkHead(parseJson(payload, at, 'head'), at);
}

/** Reads an end frame's payload. */
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
  if (typeof head.v === 'number' && head.v > ENDS_VERSION) {
    const hint = 'Read it with a newer version of this program, or by the recipe of docs/format.md';
    throw unsupported(`The file is of format ${head.v}; this program reads up to ${ENDS_VERSION}`, hint);
  }
  const known = head.kind === 'archive' || head.kind === 'backup';
  if (head.v !== ENDS_VERSION || !known || head.end !== true)
    throw damaged(at, 'the head is not as it must be');
  return head as unknown as Head;
}

function checkEnd(end: Record<string, unknown>, at: number): End {
  const counts = [end.rows, end.lines, end.bytes].every(isCount);
  if (!counts || typeof end.sha256 !== 'string') throw damaged(at, 'the end is not as it must be');
  return end as unknown as End;
}

function checkEntry(entry: Record<string, unknown>, at: number): FrameEntry {
  if (![entry.offset, entry.size, entry.plain, entry.rows].every(isCount)) {
    throw damaged(at, 'the index is not as it must be');
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
    throw damaged(at, `the ${what} is no JSON`, cause);
  }
  return asObject(value, at, what);
}

function asObject(value: unknown, at: number, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw damaged(at, `the ${what} is no JSON object`);
  }
  return value as Record<string, unknown>;
}
