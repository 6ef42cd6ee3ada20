import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import type { Storage } from '../../../../src/core/ports/storage.ts';
import { all } from '../../../contracts/storage.ts';
import { QUICK_RETRIES, testS3Settings } from '../../../helpers/s3/test-server.ts';

const BIG_REPLY_BYTES = 64 << 20;

/** What a service replies to its first, second, … listing, and to everything after that the last one. */
type Script = (string | { endless: true })[];

/** A service that replies to any request with the next page of its script. */
async function scripted(...pages: Script): Promise<{ storage: Storage; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    const page = pages[Math.min(asked++, pages.length - 1)];
    response.writeHead(200, { 'content-type': 'application/xml' });
    if (typeof page === 'string') return void response.end(page);
    let sent = 0;
    const send = () => {
      while (sent < BIG_REPLY_BYTES) {
        sent += 65_536;
        if (!response.write('<A>'.padEnd(65_536))) return void response.once('drain', send);
      }
      response.end();
    };
    send();
    request.on('close', () => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { storage: openS3Storage(testS3Settings(url), { retry: QUICK_RETRIES }), asked: () => asked };
}

interface PageParts {
  more?: boolean;
  token?: string;
  count?: number;
  size?: string;
}

function page(
  keys: string[],
  { more = false, token, count = keys.length, size = '<Size>7</Size>' }: PageParts = {},
) {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key>${size}</Contents>`).join('');
  const next = token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`;
  return `<ListBucketResult><Name>lab</Name><KeyCount>${count}</KeyCount><IsTruncated>${more}</IsTruncated>${next}${contents}</ListBucketResult>`;
}

const next = (token: string) => ({ more: true, token });

const INCOMPLETE: Record<string, { pages: Script; came: string[] }> = {
  'a truncated page without a token': { pages: [page(['d/a', 'd/b'], { more: true })], came: ['d/a', 'd/b'] },
  'an empty token': { pages: [page(['d/a'], { more: true, token: '' })], came: ['d/a'] },
  'a repeated token': { pages: [page(['d/a'], next('1')), page(['d/b'], next('1'))], came: ['d/a', 'd/b'] },
  'tokens in a circle': {
    pages: [page(['d/a'], next('1')), page(['d/b'], next('2')), page(['d/a'], next('1'))],
    came: ['d/a', 'd/b'],
  },
  'exchanged pages': { pages: [page(['d/c', 'd/d'], next('1')), page(['d/a', 'd/b'])], came: ['d/c', 'd/d'] },
  'an entry on two pages': {
    pages: [page(['d/a', 'd/b'], next('1')), page(['d/b', 'd/c'])],
    came: ['d/a', 'd/b'],
  },
  'an entry twice on a page': { pages: [page(['d/a', 'd/a'])], came: ['d/a'] },
  'keys out of order': { pages: [page(['d/a', 'd/c', 'd/b'])], came: ['d/a', 'd/c'] },
  'a key outside the prefix': { pages: [page(['d/a', 'e/a'])], came: ['d/a'] },
  'fewer entries than counted': { pages: [page(['d/a'], { count: 2 })], came: [] },
  'an entry without a size': { pages: [page(['d/a'], { size: '' })], came: [] },
  'a negative size': { pages: [page(['d/a'], { size: '<Size>-1</Size>' })], came: [] },
};

for (const [name, { pages, came }] of Object.entries(INCOMPLETE)) {
  test(`a listing with ${name} is reported as incomplete, after what came`, async () => {
    const { storage } = await scripted(...pages);
    const names: string[] = [];
    const reading = (async () => {
      for await (const object of storage.list('d/')) names.push(object.name);
    })();
    await assert.rejects(reading, { code: 'STORAGE_FAILED' });
    assert.deepEqual(names, came);
  });
}

test('pages without end are given up', async () => {
  let token = 0;
  const { storage, asked } = await scripted(
    ...Array.from({ length: 1000 }, () => page([], next(`t${token++}`))),
  );
  await assert.rejects(all(storage.list('d/')), { code: 'STORAGE_FAILED' });
  assert.ok(asked() < 200, `${asked()} requests`);
});

test('complete listings of services that sort folder by folder, or send an empty page, are read', async () => {
  const folders = await scripted(page(['d/x/1', 'd/x/2'], next('1')), page(['d/x.old/1', 'd/y']));
  assert.equal((await all(folders.storage.list('d/'))).length, 4);
  const gaps = await scripted(page([], next('1')), page(['d/a', 'd/a/b'], next('2')), page([]));
  assert.equal((await all(gaps.storage.list('d/'))).length, 2);
});

function uploads(entries: [key: string, id: string][], markers?: string): string {
  const xml = entries
    .map(([key, id]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`)
    .join('');
  return `<ListMultipartUploadsResult><IsTruncated>${markers !== undefined}</IsTruncated>${markers ?? ''}${xml}</ListMultipartUploadsResult>`;
}

function parts(sizes: number[], { from = 1, more = false, marker = '' } = {}): string {
  const xml = sizes
    .map((size, index) => `<Part><PartNumber>${from + index}</PartNumber><Size>${size}</Size></Part>`)
    .join('');
  return `<ListPartsResult><IsTruncated>${more}</IsTruncated>${marker}${xml}</ListPartsResult>`;
}

const MARKERS = uploads([]);
const UNFINISHED: Record<string, Script> = {
  'uploads that are truncated without a marker': [MARKERS, uploads([['a', '1']], ''), parts([5])],
  'uploads with the same marker again': [
    MARKERS,
    uploads([['a', '1']], '<NextKeyMarker>a</NextKeyMarker>'),
    parts([5]),
    uploads([['b', '2']], '<NextKeyMarker>a</NextKeyMarker>'),
    parts([5]),
  ],
  'uploads that are repeated': [
    MARKERS,
    uploads([['a', '1']], '<NextKeyMarker>a</NextKeyMarker>'),
    parts([5]),
    uploads([['a', '1']]),
    parts([5]),
  ],
  'parts that are truncated without a marker': [MARKERS, uploads([['a', '1']]), parts([5], { more: true })],
  'parts that are repeated': [
    MARKERS,
    uploads([['a', '1']]),
    parts([5], { more: true, marker: '<NextPartNumberMarker>1</NextPartNumberMarker>' }),
    parts([5]),
  ],
};

for (const [name, pages] of Object.entries(UNFINISHED)) {
  test(`a listing of ${name} is reported as incomplete`, async () => {
    const { storage } = await scripted(...pages);
    await assert.rejects(all(storage.listUnfinished()), { code: 'STORAGE_FAILED' });
  });
}

test('unfinished uploads on several pages are read', async () => {
  const marker = '<NextPartNumberMarker>2</NextPartNumberMarker>';
  const { storage } = await scripted(
    MARKERS,
    uploads([['a', '1']], '<NextKeyMarker>a</NextKeyMarker>'),
    parts([5, 6], { more: true, marker }),
    parts([7], { from: 3 }),
    uploads([['a', '2']]),
    parts([1]),
  );
  const found = await all(storage.listUnfinished());
  assert.deepEqual(
    found.map(({ id, size_bytes }) => [id, size_bytes]),
    [
      ['1', 18],
      ['2', 1],
    ],
  );
});

test('a reply without end is not read into memory', async () => {
  const { storage, asked } = await scripted({ endless: true });
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(all(storage.list('')), { code: 'STORAGE_FAILED' });
  assert.equal(asked(), 1);
  assert.ok(process.memoryUsage().arrayBuffers - before < BIG_REPLY_BYTES / 2);
});
