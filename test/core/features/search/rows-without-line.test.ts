import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeTarget } from '../../../../src/core/features/inspect/show.ts';
import { verifyFile } from '../../../../src/core/features/inspect/verify-file.ts';
import { openArchive } from '../../../../src/core/features/search/browse.ts';
import { search } from '../../../../src/core/features/search/search.ts';
import { type ArchiveHead, writeArchive } from '../../../../src/core/format/index.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { blocksOf, HEAD, KEY } from '../../../helpers/sealed.ts';
import { collect } from '../../../helpers/streams.ts';
import { serverArchive, storedTarget } from '../../../helpers/targets.ts';

/** Rows of a server that does not keep the original lines. */
const LINES = [
  { raw: 'GET /kept', fields: { path: '/kept' } },
  { raw: '', fields: { path: '/plain', user: 'Bob "B"', file: 'C:\\x' } },
  {
    raw: '',
    fields: { path: '/other' },
    cols: { norm_log: '{"path":"\\/kept by the server"}', normalizer: 'n@1' },
  },
  { raw: '', fields: {} },
].map(({ raw, ...rest }, index) => {
  const ts = `2026-03-01T00:00:00.00${index}Z`;
  return Buffer.from(`${JSON.stringify({ ts, raw, id: `id${index}`, fid: 'f1', its: ts, ...rest })}\n`);
});
const COLUMNS = [{ name: 'norm_log', type: 'String', default: 'toString(fields)' }];
const sealed = (given: Partial<ArchiveHead> = {}) =>
  collect(
    writeArchive(blocksOf(Buffer.concat(LINES)), {
      key: KEY,
      head: { ...HEAD, raw_from: 'logs_raw', columns: COLUMNS, ...given },
    }).bytes,
  );

for (const [how, make] of [
  ['with an index', sealed],
  ['without an index', async () => serverArchive(LINES)],
] as const) {
  test(`rows without an original line are browsed by the text of their fields, ${how}`, async () => {
    const browser = await openArchive(await storedTarget(await make()), [KEY]);
    const rows = await browser.read(0, 4);
    assert.deepEqual(
      rows.map(({ raw, text_from }) => [raw, text_from]),
      [
        ['GET /kept', 'raw'],
        ['{"path":"/plain","user":"Bob \\"B\\"","file":"C:\\\\x"}', 'fields'],
        ['{"path":"\\/kept by the server"}', 'norm_log'],
        ['', null],
      ],
    );
    assert.deepEqual(rows.map(({ cols }) => cols && JSON.parse(cols)).at(2), {
      norm_log: '{"path":"\\/kept by the server"}',
      normalizer: 'n@1',
    });
    assert.deepEqual(
      rows.map(({ raw, raw_bytes }) => Buffer.byteLength(raw) === raw_bytes),
      [true, true, true, true],
    );
    assert.equal(await browser.find({ text: 'kept by' }, 0, 'next'), 2);
    await browser.close();
  });

  for (const [pattern, found] of [
    [{ text: '/plain' }, ['1 fields']],
    [{ text: '"user":"Bob' }, ['1 fields']],
    [{ text: '"user":"bob' }, ['1 fields']],
    [{ text: 'C:\\\\x' }, ['1 fields']],
    [{ text: 'KEPT' }, []],
    [{ text: 'kept' }, ['0 raw', '2 norm_log']],
    [{ text: 'path":"\\/kept' }, ['2 norm_log']],
    [{ text: '/other' }, []],
    [{ text: 'n@1' }, []],
    [{ regex: '"path":"/p.*Bob' }, ['1 fields']],
    [{ regex: '^$' }, ['3 null']],
  ] as const)
    test(`searching for ${JSON.stringify(pattern)}, ${how}`, async () => {
      const { storage: archives, label } = await storedTarget(await make());
      const backups = new MemoryStorage();
      const localFile = async (name: string) => ({ storage: backups, name });
      const services = fakeServices({ archives, backups, keys: [KEY], localFile });
      const hits = await Array.fromAsync(search(services, { targets: [label], pattern }));
      assert.deepEqual(
        hits.map(({ line, text_from }) => `${JSON.parse(line.toString()).id.slice(2)} ${text_from}`),
        [...found],
      );
      for (const { line } of hits)
        assert.ok(LINES.some((one) => one.equals(Buffer.concat([line, Buffer.from('\n')]))));
    });
}

for (const [what, window, calls] of [
  ['all rows', {}, 1],
  ['rows of which one has none', { from: '2026-03-01T00:00:00.001Z', to: '2026-03-01T00:00:00.002Z' }, 1],
  ['rows with original lines', { to: '2026-03-01T00:00:00.001Z' }, 0],
  ['rows without any text', { from: '2026-03-01T00:00:00.003Z' }, 0],
] as const)
  test(`a search of ${what} says ${calls} times that lines are missing, without any match`, async () => {
    const { storage: archives, label } = await storedTarget(await sealed());
    const missing: string[] = [];
    const query = { targets: [label], pattern: { text: 'nowhere' }, ...window };
    const backups = new MemoryStorage();
    const localFile = async (name: string) => ({ storage: backups, name });
    const services = fakeServices({ archives, backups, keys: [KEY], localFile });
    const hits = await Array.fromAsync(
      search(services, { ...query, onLinesMissing: (target) => missing.push(target) }),
    );
    assert.deepEqual([hits, missing], [[], Array(calls).fill(label)]);
  });

test('they are valid rows', async () => {
  const { ok, rows, error } = await verifyFile(await storedTarget(await sealed()), {
    keys: [KEY],
    quick: false,
  });
  assert.deepEqual([ok, rows, error], [true, 4, undefined]);
});

test('a file says where its original lines come from, and what columns the table had', async () => {
  const { raw_from, columns } = await describeTarget(await storedTarget(await sealed()), [KEY]);
  assert.deepEqual([raw_from, columns], ['logs_raw', COLUMNS]);
  const none = await describeTarget(await storedTarget(await sealed({ raw_from: 'none' })), [KEY]);
  assert.equal(none.raw_from, 'none');
  const server = await describeTarget(await storedTarget(serverArchive(LINES.slice(0, 1))), [KEY]);
  assert.deepEqual([server.raw_from, server.columns], ['logs', null]);
});
