import { createHash } from 'node:crypto';
import { receiveBody, receiveText } from './body.ts';
import { removeSegments, type StoredPart, type StoredUpload } from './bucket.ts';
import { checkWrite, metaOf } from './object-routes.ts';
import type { Route, RouteContext } from './request.ts';
import { element, innerXmlOf, ok, S3Error, textElement, textOf, xmlDocument } from './response.ts';

const MAX_PARTS = 10_000;
const PAGE_SIZE = 1000;

export const createUpload: Route = async ({ bucket, request }) => {
  const id = await bucket.openUpload(request.key, metaOf(request));
  const body = textElement('Bucket', bucket.name) + textElement('Key', request.key) + element('UploadId', id);
  return ok(xmlDocument('InitiateMultipartUploadResult', body));
};

export const uploadPart: Route = async (context) => {
  const { bucket, request, body, payload } = context;
  const [id, upload] = uploadOf(context);
  const number = Number(request.query.get('partNumber'));
  if (!(number >= 1 && number <= MAX_PARTS)) throw new S3Error(400, 'InvalidArgument', 'Part number');
  const received = await receiveBody(request.message, body, bucket.data, payload);
  if (bucket.uploads.get(id) !== upload) {
    await removeSegments([received]);
    throw new S3Error(404, 'NoSuchUpload');
  }
  await bucket.setPart(id, number, { ...received, modified: Date.now() });
  return ok('', { etag: `"${received.etag}"` });
};

export const listParts: Route = async (context) => {
  const { query } = context.request;
  const [id, { key, parts }] = uploadOf(context);
  const after = Number(query.get('part-number-marker') ?? 0);
  const rest = [...parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
  const page = rest.slice(0, Math.min(PAGE_SIZE, Number(query.get('max-parts') ?? PAGE_SIZE)));
  const body = [
    textElement('Key', key),
    element('UploadId', id),
    element('NextPartNumberMarker', page.at(-1)?.[0] ?? 0),
    element('IsTruncated', page.length < rest.length),
    ...page.map(([number, { etag, size }]) =>
      element(
        'Part',
        element('PartNumber', number) + textElement('ETag', `"${etag}"`) + element('Size', size),
      ),
    ),
  ];
  return ok(xmlDocument('ListPartsResult', body.join('')));
};

export const abortUpload: Route = async (context) => {
  const [id] = uploadOf(context);
  await context.bucket.closeUpload(id);
  return { status: 204 };
};

export const completeUpload: Route = async (context) => {
  const { bucket, request, body, options } = context;
  const { key, query, message } = request;
  const wanted = wantedParts(await receiveText(message, body));
  return bucket.exclusive(async () => {
    const done = bucket.completed.get(query.get('uploadId') ?? '');
    if (done?.key === key) return ok(done.answer);
    const [id, upload] = uploadOf(context);
    const parts = chosenParts(upload, wanted, options.smallest_part);
    checkWrite(message.headers, bucket.objects.get(key), options.conditional);
    const segments = parts.map(({ file, size }) => ({ file, size }));
    const size = segments.reduce((sum, segment) => sum + segment.size, 0);
    const { content_type, user } = upload;
    const etag = etagOf(parts);
    await bucket.setObject({ key, content_type, user, size, etag, modified: Date.now(), segments });
    await bucket.closeUpload(id, segments);
    const answer = xmlDocument(
      'CompleteMultipartUploadResult',
      textElement('Bucket', bucket.name) + textElement('Key', key) + textElement('ETag', `"${etag}"`),
    );
    bucket.completed.set(id, { key, answer });
    return ok(answer);
  });
};

interface WantedPart {
  number: number;
  etag: string | undefined;
}

function wantedParts(xml: string): WantedPart[] {
  const parts = innerXmlOf(xml, 'Part').map((part) => ({
    number: Number(textOf(part, 'PartNumber')),
    etag: textOf(part, 'ETag')?.replaceAll('"', ''),
  }));
  if (parts.length === 0) throw new S3Error(400, 'MalformedXML');
  const ascending = parts.every(({ number }, at) => at === 0 || number > (parts[at - 1]?.number ?? 0));
  if (!ascending) throw new S3Error(400, 'InvalidPartOrder');
  return parts;
}

function chosenParts({ parts }: StoredUpload, wanted: WantedPart[], smallest: number): StoredPart[] {
  const chosen = wanted.map(({ number, etag }) => {
    const part = parts.get(number);
    if (!part || part.etag !== etag) throw new S3Error(400, 'InvalidPart');
    return part;
  });
  if (chosen.slice(0, -1).some(({ size }) => size < smallest)) throw new S3Error(400, 'EntityTooSmall');
  return chosen;
}

function etagOf(parts: StoredPart[]): string {
  const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')));
  return `${createHash('md5').update(digests).digest('hex')}-${parts.length}`;
}

function uploadOf({ bucket, request }: RouteContext): [id: string, upload: StoredUpload] {
  const id = request.query.get('uploadId') ?? '';
  const upload = bucket.uploads.get(id);
  if (!upload || upload.key !== request.key) throw new S3Error(404, 'NoSuchUpload');
  return [id, upload];
}
