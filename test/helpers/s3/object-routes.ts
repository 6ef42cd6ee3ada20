import { receiveBody } from './body.ts';
import { readSegments, removeSegments, type StoredMeta } from './bucket.ts';
import type { S3Request } from './request.ts';
import { checkRead, checkWrite, ok, rangeOf, type S3Response } from './response.ts';
import type { Route } from './routes.ts';
import { S3Error } from './s3-error.ts';

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
