import type { Bucket } from './bucket.ts';
import { deleteObject, getObject, putObject } from './object-routes.ts';
import type { Operation, Route } from './request.ts';
import { element, ok, type S3Response, textElement, xmlDocument } from './response.ts';
import { abortUpload, completeUpload, createUpload, listParts, uploadPart } from './upload-routes.ts';

const headBucket: Route = async () => ok();
const getVersioning: Route = async ({ options }) =>
  ok(xmlDocument('VersioningConfiguration', options.versioning ? element('Status', 'Enabled') : ''));
const getObjectLock: Route = async ({ options }) =>
  ok(
    xmlDocument(
      'ObjectLockConfiguration',
      options.object_lock ? element('ObjectLockEnabled', 'Enabled') : '',
    ),
  );

/** Operations on an existing bucket. */
export const ROUTES: Partial<Record<Operation, Route>> = {
  'head-bucket': headBucket,
  'get-versioning': getVersioning,
  'get-object-lock': getObjectLock,
  'list-objects': async ({ bucket, request }) => listObjects(bucket, request.query),
  'list-uploads': async ({ bucket, request }) => listUploads(bucket, request.query),
  'create-upload': createUpload,
  'upload-part': uploadPart,
  'list-parts': listParts,
  'complete-upload': completeUpload,
  'abort-upload': abortUpload,
  'put-object': putObject,
  'get-object': getObject,
  'head-object': getObject,
  'delete-object': deleteObject,
};

const MAX_KEYS = 1000;

/** ListObjectsV2. */
function listObjects(bucket: Bucket, query: URLSearchParams): S3Response {
  const prefix = query.get('prefix') ?? '';
  const limit = Math.min(MAX_KEYS, Number(query.get('max-keys') ?? MAX_KEYS));
  const token = query.get('continuation-token');
  const after = token ? Buffer.from(token, 'base64url').toString() : (query.get('start-after') ?? '');
  const keys = sortedKeys(bucket);
  let first = compare(after, prefix) < 0 ? lowerBound(keys, prefix) : lowerBound(keys, after);
  if (after && keys[first] === after) first++;
  const found = keys.slice(first, first + limit + 1).filter((key) => key.startsWith(prefix));
  const page = found.slice(0, limit);
  const more = found.length > limit;
  return ok(
    xmlDocument(
      'ListBucketResult',
      [
        textElement('Name', bucket.name),
        textElement('Prefix', prefix),
        element('KeyCount', page.length),
        element('MaxKeys', limit),
        element('IsTruncated', more),
        more ? element('NextContinuationToken', Buffer.from(page.at(-1) ?? '').toString('base64url')) : '',
        ...page.map((key) => contents(bucket, key)),
      ].join(''),
    ),
  );
}

function contents(bucket: Bucket, key: string): string {
  const entry = bucket.objects.get(key);
  if (!entry) return '';
  return element(
    'Contents',
    [
      textElement('Key', key),
      element('LastModified', new Date(entry.modified).toISOString()),
      textElement('ETag', `"${entry.etag}"`),
      element('Size', entry.size),
      element('StorageClass', 'STANDARD'),
    ].join(''),
  );
}

/** ListMultipartUploads. */
function listUploads(bucket: Bucket, query: URLSearchParams): S3Response {
  const prefix = query.get('prefix') ?? '';
  const limit = Math.min(MAX_KEYS, Number(query.get('max-uploads') ?? MAX_KEYS));
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const rest = [...bucket.uploads]
    .map(([id, { key, started }]) => ({ id, key, started }))
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compare(a.key, b.key) || compare(a.id, b.id))
    .filter(({ id, key }) => (compare(key, keyMarker) || compare(id, idMarker || '~')) > 0 || !keyMarker);
  const page = rest.slice(0, limit);
  const last = rest.length > limit ? page.at(-1) : undefined;
  const uploads = page.map(({ id, key, started }) =>
    element(
      'Upload',
      textElement('Key', key) +
        element('UploadId', id) +
        element('Initiated', new Date(started).toISOString()) +
        element('StorageClass', 'STANDARD'),
    ),
  );
  const markers = last ? textElement('NextKeyMarker', last.key) + element('NextUploadIdMarker', last.id) : '';
  const head = textElement('Bucket', bucket.name) + element('IsTruncated', last !== undefined) + markers;
  return ok(xmlDocument('ListMultipartUploadsResult', head + uploads.join('')));
}

/** Sorted keys, cached: sorting them for every page would make long listings slow. */
const sorted = new WeakMap<Bucket, { keys: string[]; of: number }>();

function sortedKeys(bucket: Bucket): string[] {
  const known = sorted.get(bucket);
  if (known?.of === bucket.version) return known.keys;
  const keys = [...bucket.objects.keys()].sort(compare);
  sorted.set(bucket, { keys, of: bucket.version });
  return keys;
}

/** Index of the first key not less than `wanted`. */
function lowerBound(keys: string[], wanted: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(keys[middle] ?? '', wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By UTF-8 bytes, as S3 sorts. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
