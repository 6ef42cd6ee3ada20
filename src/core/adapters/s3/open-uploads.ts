import { createHash } from 'node:crypto';
import type { UnfinishedObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isObjectName } from '../storage/object-name.ts';
import { type S3Connection, truncateToSeconds } from './connection.ts';
import { incomplete, readPages } from './listing.ts';
import { failureOf } from './retry.ts';

/** An open multipart upload. */
interface OpenUpload {
  key: string;
  id: string;
  started_at: string;
}

interface UploadMarker {
  KeyMarker: string;
  UploadIdMarker: string | undefined;
}

/**
 * The metadata of an unfinished upload cannot be read, but its key can. So each upload has a second one, its marker, which
 * has no parts, is never completed, and names the job in its key. Neither is ever listed as an object.
 */
const MARKERS = '.bifract-uploads/';
const MARKER = /^\.bifract-uploads\/([0-9a-f]{32})\.([\w-]+)$/;
const STALE_MS = 86_400_000;

/** The key of the marker of an upload; without a job, its prefix. */
export function markerKey(id: string, job = ''): string {
  return `${MARKERS}${hashOf(id)}.${job}`;
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

/** Open uploads whose key begins with `prefix`. */
export async function* openUploads(
  connection: S3Connection,
  prefix: string,
  options: CallOptions = {},
): AsyncGenerator<OpenUpload> {
  const Bucket = connection.settings.bucket;
  const seen = new Set<string>();
  const uploads = readPages(connection, async (marker: UploadMarker | undefined) => {
    const page = await connection.call(
      'Cannot list unfinished uploads',
      (s3, http) => s3.listMultipartUploads({ Bucket, Prefix: prefix, ...marker }, http),
      options,
    );
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    return {
      entries: page.Uploads ?? [],
      truncated: page.IsTruncated === true,
      next: KeyMarker ? { KeyMarker, UploadIdMarker } : undefined,
    };
  });
  for await (const { Key, UploadId, Initiated } of uploads) {
    if (!Key?.startsWith(prefix) || !UploadId) continue;
    const upload = JSON.stringify([Key, UploadId]);
    if (seen.has(upload)) throw incomplete(connection, 'an upload is repeated');
    seen.add(upload);
    yield { key: Key, id: UploadId, started_at: truncateToSeconds(Initiated) };
  }
}

/** Unfinished uploads, with the job of each if it has a marker. Removes markers without an upload. */
export async function* listUnfinished(
  connection: S3Connection,
  options: CallOptions,
): AsyncGenerator<UnfinishedObject> {
  const markers = new Map<string, OpenUpload>();
  for await (const upload of openUploads(connection, MARKERS, options)) {
    const hash = MARKER.exec(upload.key)?.[1];
    if (hash) markers.set(hash, upload);
  }
  for await (const { key, id, started_at } of openUploads(connection, '', options)) {
    if (!isObjectName(key)) continue;
    const size_bytes = await uploadedBytes(connection, key, id, options);
    if (size_bytes === undefined) continue;
    const marker = markers.get(hashOf(id));
    markers.delete(hashOf(id));
    yield { id, name: key, job: marker && MARKER.exec(marker.key)?.[2], size_bytes, started_at };
  }
  for (const { key, id, started_at } of markers.values()) {
    if (Date.now() - Date.parse(started_at) > STALE_MS) await abortUpload(connection, key, id, options);
  }
}

/** Removes an unfinished upload and its marker, if they still exist. */
export async function discardUnfinished(
  connection: S3Connection,
  unfinished: UnfinishedObject,
  options: CallOptions,
): Promise<void> {
  await abortUpload(connection, unfinished.name, unfinished.id, options);
  for await (const { key, id } of openUploads(connection, markerKey(unfinished.id), options)) {
    await abortUpload(connection, key, id, options);
  }
}

export async function abortUpload(
  connection: S3Connection,
  key: string,
  id: string,
  options: CallOptions = {},
): Promise<void> {
  const Bucket = connection.settings.bucket;
  try {
    await connection.send(
      (s3, http) => s3.abortMultipartUpload({ Bucket, Key: key, UploadId: id }, http),
      options,
    );
  } catch (error) {
    options.signal?.throwIfAborted();
    if (failureOf(error).status === 404) return;
    throw connection.explain(`Cannot remove the unfinished upload of ${key}`, error);
  }
}

/** Undefined if the upload has ended in the meantime. */
async function uploadedBytes(
  connection: S3Connection,
  key: string,
  id: string,
  options: CallOptions,
): Promise<number | undefined> {
  const Bucket = connection.settings.bucket;
  const parts = readPages(connection, async (after: string | undefined) => {
    const input = { Bucket, Key: key, UploadId: id, PartNumberMarker: after };
    const page = await connection.send((s3, http) => s3.listParts(input, http), options);
    return {
      entries: page.Parts ?? [],
      truncated: page.IsTruncated === true,
      next: page.NextPartNumberMarker || undefined,
    };
  });
  let bytes = 0;
  let last = 0;
  try {
    for await (const { PartNumber = 0, Size = 0 } of parts) {
      if (PartNumber <= last) throw incomplete(connection, 'the parts of an upload are not in order');
      last = PartNumber;
      bytes += Size;
    }
    return bytes;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (failureOf(error).status === 404) return undefined;
    throw connection.explain(`Cannot list the parts of the unfinished upload of ${key}`, error);
  }
}
