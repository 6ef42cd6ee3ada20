import type { StoredEntry } from './bucket.ts';
import { S3Error } from './s3-error.ts';

/** The response to a request. */
export interface S3Response {
  status: number;
  headers?: Record<string, string | number>;
  body?: string | { length: number; bytes: AsyncIterable<Buffer> };
}

export function ok(body = '', headers: S3Response['headers'] = {}): S3Response {
  return { status: 200, headers, body };
}

/** The byte range of a `Range` header; undefined for all. */
export function rangeOf(header: string | undefined, size: number): [from: number, to: number] | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (!first && !last) return undefined;
  const from = first ? Number(first) : Math.max(0, size - Number(last));
  const to = first && last ? Math.min(Number(last) + 1, size) : size;
  if (from >= to) throw new S3Error(416, 'InvalidRange');
  return [from, to];
}

type Headers = Record<string, string | string[] | undefined>;

/** Checks the conditions of a read. */
export function checkRead(headers: Headers, entry: StoredEntry): void {
  if (headers['if-match'] && !matches(headers['if-match'], entry))
    throw new S3Error(412, 'PreconditionFailed');
  if (headers['if-none-match'] && matches(headers['if-none-match'], entry))
    throw new S3Error(304, 'NotModified');
}

/** Checks the conditions of a write. */
export function checkWrite(headers: Headers, entry: StoredEntry | undefined, conditional: boolean): void {
  const condition = headers['if-none-match'];
  if (condition === undefined) return;
  if (!conditional) throw new S3Error(501, 'NotImplemented', 'A header implies what is not implemented');
  if (entry && matches(condition, entry)) throw new S3Error(412, 'PreconditionFailed');
}

function matches(header: string | string[] | undefined, { etag }: StoredEntry): boolean {
  return String(header)
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((tag) => tag === '*' || tag === etag);
}
