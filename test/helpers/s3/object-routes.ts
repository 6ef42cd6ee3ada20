import { receiveBody } from './body.ts';
import { readSegments, removeSegments, type StoredEntry, type StoredMeta } from './bucket.ts';
import type { Route, S3Request } from './request.ts';
import { ok, S3Error, type S3Response } from './response.ts';

export const putObject: Route = async ({ bucket, request, body, payload, options }) => {
  const { key, message } = request;
  const { headers } = message;
  checkWrite(headers, bucket.objects.get(key), options.conditional);
  const received = await receiveBody(message, body, bucket.data, payload);
  const { etag, file, size } = received;
  const entry = { key, ...metaOf(request), size, etag, modified: Date.now(), segments: [{ file, size }] };
  return bucket.exclusive(async () => {
    try {
      checkWrite(headers, bucket.objects.get(key), options.conditional);
    } catch (error) {
      await removeSegments([received]);
      throw error;
    }
    await bucket.setObject(entry);
    return ok('', { etag: `"${etag}"` });
  });
};

export const getObject: Route = async ({ bucket, request }) => {
  const entry = bucket.objects.get(request.key);
  if (!entry) throw new S3Error(404, 'NoSuchKey', 'The key does not exist');
  const { headers } = request.message;
  checkRead(headers, entry);
  const range = rangeOf(headers.range, entry.size);
  const [from, to] = range ?? [0, entry.size];
  const answer: S3Response = {
    status: range ? 206 : 200,
    headers: {
      'content-type': entry.content_type,
      etag: `"${entry.etag}"`,
      'last-modified': new Date(entry.modified).toUTCString(),
      ...entry.user,
      ...(range ? { 'content-range': `bytes ${from}-${to - 1}/${entry.size}` } : {}),
    },
    body: { length: to - from, bytes: readSegments(entry.segments, from, to) },
  };
  return answer;
};

export const deleteObject: Route = async ({ bucket, request }) => {
  await bucket.deleteObject(request.key);
  return { status: 204 };
};

/** An object's metadata from the request. */
export function metaOf({ message: { headers } }: S3Request): StoredMeta {
  const user = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return {
    content_type: headers['content-type'] ?? 'application/octet-stream',
    user: Object.fromEntries(user.map(([name, value]) => [name, String(value)])),
  };
}

/** The byte range of a `Range` header; undefined for all. */
function rangeOf(header: string | undefined, size: number): [from: number, to: number] | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (!first && !last) return undefined;
  const from = first ? Number(first) : Math.max(0, size - Number(last));
  const to = first && last ? Math.min(Number(last) + 1, size) : size;
  if (from >= to) throw new S3Error(416, 'InvalidRange');
  return [from, to];
}

type Headers = Record<string, string | string[] | undefined>;

/** Checks the conditions of a read. */
function checkRead(headers: Headers, entry: StoredEntry): void {
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
