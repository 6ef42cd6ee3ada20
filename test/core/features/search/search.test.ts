import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Target } from '../../../../src/core/features/files/target.ts';
import type { SearchQuery } from '../../../../src/core/features/search/contract.ts';
import { search } from '../../../../src/core/features/search/search.ts';
import { parseKey } from '../../../../src/core/format/index.ts';
import type { Storage } from '../../../../src/core/ports/storage.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { archiveLine, framedArchive, KEY } from '../../../helpers/sealed.ts';
import { collect } from '../../../helpers/streams.ts';
import { sealedArchive, storedTarget } from '../../../helpers/targets.ts';
import { loadVectors, vectorBytes } from '../../../helpers/vectors.ts';

type Query = Omit<SearchQuery, 'targets'>;

async function found(target: Target, query: Query, keys = [KEY]): Promise<string[]> {
  const targets = [target.label];
  const hits = await Array.fromAsync(search(servicesOf(target, keys), { targets, ...query }));
  return hits.map(({ line }) => line.toString('latin1'));
}

/** Services whose archive storage is that of the target. */
function servicesOf({ storage: archives }: Target, keys = [KEY]) {
  const backups = new MemoryStorage();
  return fakeServices({ archives, backups, keys, localFile: async (name) => ({ storage: backups, name }) });
}

const text = (line: Buffer) => line.toString('latin1').trimEnd();

suite('sealed archives', () => {
  const rows = Array.from({ length: 100 }, (_, index) =>
    archiveLine(index, `row ${index} ${index % 10 === 0 ? 'Ten' : ''}`),
  );
  const frames = Array.from({ length: 10 }, (_, frame) => rows.slice(frame * 10, frame * 10 + 10));

  test('matching lines are returned as stored, in order, from every frame', async () => {
    const target = await storedTarget(await collect(framedArchive(frames).bytes));
    const wanted = rows.filter((_, index) => index % 10 === 0).map(text);
    assert.deepEqual(await found(target, { pattern: { text: 'ten' } }), wanted);
    assert.deepEqual(await found(target, { pattern: { text: 'Ten' } }), wanted);
    assert.deepEqual(await found(target, { pattern: { regex: 'row \\d+0 T' } }), wanted.slice(1));
    assert.deepEqual(
      await found(target, { pattern: { regex: '^row 1[0-9] $' } }),
      rows.slice(11, 20).map(text),
    );
    assert.deepEqual(await found(target, { pattern: { text: 'TEN' } }), []);
    assert.deepEqual(await found(target, { pattern: { text: 'fid' } }), []);
  });

  test('rows outside the window are not returned', async () => {
    const target = await storedTarget(await collect(framedArchive(frames).bytes));
    const query = {
      pattern: { text: 'row' },
      from: '2026-03-01T00:00:00.025Z',
      to: '2026-03-01T00:00:00.04Z',
    };
    assert.deepEqual(await found(target, query), rows.slice(25, 40).map(text));
    const within = { ...query, to: '2026-03-01T00:00:00.035Z' };
    assert.deepEqual(await found(target, within), rows.slice(25, 35).map(text));
  });

  test('frames outside the window are not read, even if damaged', async () => {
    const bulkyEnds = frames.map((lines, at) => (at === 0 || at === 9 ? bulky(at * 10) : lines));
    const bytes = await collect(framedArchive(bulkyEnds).bytes);
    for (const at of [200_000, bytes.length - 200_000]) bytes[at] = (bytes[at] as number) ^ 1;
    const target = await storedTarget(bytes);
    const query = {
      pattern: { text: 'row' },
      from: '2026-03-01T00:00:00.025Z',
      to: '2026-03-01T00:00:00.04Z',
    };
    assert.deepEqual(await found(target, query), rows.slice(25, 40).map(text));
    await assert.rejects(found(target, { pattern: query.pattern, from: query.from }), { code: 'DAMAGED' });
    await assert.rejects(found(target, { pattern: query.pattern, to: query.to }), { code: 'DAMAGED' });
  });

  test('text is found in every JSON escaping', async () => {
    const lines = [
      '{"ts":"2026-03-01T00:00:00Z","raw":"a \\u003cscript\\u003e \\"q\\" C:\\\\x","id":"1","fid":"f","its":"2026-03-01T00:00:00Z"}\n',
      '{"ts":"2026-03-01T00:00:01Z","raw":"\ufffd ERR","raw64":"/yBFUlI=","id":"2","fid":"f","its":"2026-03-01T00:00:00Z"}\n',
    ].map((line) => Buffer.from(line));
    const target = await storedTarget(await sealedArchive(lines));
    for (const word of ['<script>', '"q"', 'c:\\x', 'a <']) {
      assert.equal((await found(target, { pattern: { text: word } })).length, 1, word);
    }
    assert.deepEqual(await found(target, { pattern: { text: 'err' } }), [text(lines[1] as Buffer)]);
  });

  test('an abandoned search stops reading', async () => {
    const target = await storedTarget(await collect(framedArchive(frames).bytes));
    let reads = 0;
    const counted = new Proxy(target.storage, {
      get: (storage, key) => {
        if (key === 'read') reads++;
        const value = Reflect.get(storage, key);
        return typeof value === 'function' ? value.bind(storage) : value;
      },
    }) as Storage;
    const query = { targets: [target.label], pattern: { text: 'row' } };
    for await (const _ of search(servicesOf({ ...target, storage: counted }), query)) break;
    assert.ok(reads < 9, `${reads} reads`);
  });
});

function bulky(from: number): Buffer[] {
  return Array.from({ length: 10 }, (_, index) =>
    archiveLine(from + index, Array.from({ length: 5000 }, () => Math.random().toString(36)).join('')),
  );
}

suite('several targets', () => {
  test('a failed target does not stop the others', async () => {
    const intact = await storedTarget(await sealedArchive([archiveLine(1)]));
    const lines: string[] = [];
    const run = async () => {
      const query = { targets: ['gone', intact.label], pattern: { text: 'row' } };
      for await (const { line } of search(servicesOf(intact), query)) lines.push(line.toString());
    };
    await assert.rejects(run(), {
      code: 'PARTLY_DONE',
      message: /1 of 2.*gone/,
    });
    assert.equal(lines.length, 1);
  });

  test('a backup is rejected', async () => {
    const vector = loadVectors().find(({ file }) => file === 'b-backup/pgdump.bifract-backup');
    assert.ok(vector);
    const target = await storedTarget(vectorBytes(vector), { name: vector.file });
    await assert.rejects(found(target, { pattern: { text: 'x' } }, [parseKey(vector.key_hex)]), {
      code: 'NOT_BIFRACT',
    });
  });
});

test('an archive of the server is searched sequentially', async () => {
  const vector = loadVectors().find(({ file }) => file === 'c-archive/lines-5000.bifract-archive');
  assert.ok(vector);
  const target = await storedTarget(vectorBytes(vector), { name: vector.file });
  const all = await found(target, { pattern: { regex: '' } }, [parseKey(vector.key_hex)]);
  assert.equal(all.length, 5000);
});
