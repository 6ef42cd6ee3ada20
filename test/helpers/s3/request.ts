import type { IncomingMessage } from 'node:http';
import type { Bucket } from './bucket.ts';
import type { S3Response } from './response.ts';

/** A parsed request. */
export interface S3Request {
  message: IncomingMessage;
  method: string;
  /** URL-encoded. */
  path: string;
  query: URLSearchParams;
  bucket: string;
  /** Empty for bucket requests. */
  key: string;
  operation: Operation;
}

export type Operation =
  | 'list-buckets'
  | 'create-bucket'
  | 'head-bucket'
  | 'get-versioning'
  | 'get-object-lock'
  | 'list-objects'
  | 'list-uploads'
  | 'create-upload'
  | 'upload-part'
  | 'list-parts'
  | 'complete-upload'
  | 'abort-upload'
  | 'put-object'
  | 'get-object'
  | 'head-object'
  | 'delete-object'
  | 'unknown';

export function parseRequest(message: IncomingMessage): S3Request {
  const url = message.url ?? '/';
  const queryStart = url.indexOf('?');
  const path = queryStart < 0 ? url : url.slice(0, queryStart);
  const query = new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1).replaceAll('+', '%2B'));
  const method = message.method ?? 'GET';
  const [bucket = '', ...rest] = path.slice(1).split('/').map(decodeURIComponent);
  const key = rest.join('/');
  return { message, method, path, query, bucket, key, operation: operationOf(method, bucket, key, query) };
}

function operationOf(method: string, bucket: string, key: string, query: URLSearchParams): Operation {
  if (!bucket) return 'list-buckets';
  if (!key) return bucketOperation(method, query);
  if (query.has('uploads')) return 'create-upload';
  if (query.has('uploadId')) return UPLOAD_OPERATIONS[method] ?? 'unknown';
  return OBJECT_OPERATIONS[method] ?? 'unknown';
}

const UPLOAD_OPERATIONS: Record<string, Operation> = {
  PUT: 'upload-part',
  GET: 'list-parts',
  POST: 'complete-upload',
  DELETE: 'abort-upload',
};
const OBJECT_OPERATIONS: Record<string, Operation> = {
  PUT: 'put-object',
  GET: 'get-object',
  HEAD: 'head-object',
  DELETE: 'delete-object',
};

function bucketOperation(method: string, query: URLSearchParams): Operation {
  if (method === 'PUT') return 'create-bucket';
  if (method === 'HEAD') return 'head-bucket';
  if (method !== 'GET') return 'unknown';
  if (query.has('uploads')) return 'list-uploads';
  if (query.has('versioning')) return 'get-versioning';
  if (query.has('object-lock')) return 'get-object-lock';
  return 'list-objects';
}

/** Features and limits of the server. */
export interface Behavior {
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
  options: Behavior;
}

export type Route = (context: RouteContext) => Promise<S3Response>;
