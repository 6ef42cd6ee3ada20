import type { Bucket } from './bucket.ts';
import { listObjects, listUploads } from './bucket-routes.ts';
import { deleteObject, getObject, putObject } from './object-routes.ts';
import type { Operation, S3Request } from './request.ts';
import { ok, type S3Response } from './response.ts';
import { abortUpload, completeUpload, createUpload, listParts, uploadPart } from './upload-routes.ts';
import { element, xmlDocument } from './xml.ts';

/** Features and limits of the server. */
export interface Behaviour {
  /** Supports conditional writes; otherwise rejects them as not implemented. */
  conditional: boolean;
  /** Minimum size of every part but the last, bytes. */
  smallest_part: number;
  versioning: boolean;
  object_lock: boolean;
}

export interface RouteContext {
  bucket: Bucket;
  request: S3Request;
  body: AsyncIterable<Buffer>;
  /** The payload hash of the signature. */
  payload: string;
  options: Behaviour;
}

export type Route = (context: RouteContext) => Promise<S3Response>;

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
