import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { S3Request } from './request.ts';
import { S3Error } from './response.ts';

export interface Credentials {
  access_key: string;
  secret_key: string;
}

const HEADER = /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/;
const SKEW_MS = 900_000;

/** Verifies a request's signature, version 4. Returns the signed payload hash. */
export function verifySignature(request: S3Request, { access_key, secret_key }: Credentials): string {
  const { headers } = request.message;
  const [, credential = '', signed = '', signature = ''] = HEADER.exec(headers.authorization ?? '') ?? [];
  if (!credential) throw new S3Error(403, 'AccessDenied', 'Access Denied');
  const [id, day = '', region = '', service = ''] = credential.split('/');
  if (id !== access_key) throw new S3Error(403, 'InvalidAccessKeyId', 'The access key does not exist');
  const date = String(headers['x-amz-date']);
  if (!(Math.abs(Date.now() - timeOf(date)) < SKEW_MS)) {
    throw new S3Error(403, 'RequestTimeTooSkewed', 'The difference between the clocks is too large');
  }
  const payload = String(headers['x-amz-content-sha256']);
  const scope = [day, region, service, 'aws4_request'];
  const key = scope.reduce<Buffer>(hmac, Buffer.from(`AWS4${secret_key}`));
  const digest = createHash('sha256')
    .update(canonical(request, signed, payload))
    .digest('hex');
  const expected = hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), digest].join('\n'));
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return payload;
  throw new S3Error(403, 'SignatureDoesNotMatch', 'The calculated signature does not match the given one');
}

function canonical({ message, method, path, query }: S3Request, signed: string, payload: string): string {
  const parameters = [...query]
    .map(([name, value]) => [encode(name), encode(value)])
    .sort(([a = '', b = ''], [c = '', d = '']) => compare(a, c) || compare(b, d));
  return [
    method,
    path
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    parameters.map((pair) => pair.join('=')).join('&'),
    ...signed.split(';').map(
      (name) =>
        `${name}:${String(message.headers[name] ?? '')
          .trim()
          .replace(/\s+/g, ' ')}`,
    ),
    '',
    signed,
    payload,
  ].join('\n');
}

function timeOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
