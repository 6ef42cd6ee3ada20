import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { joinInOrder, type OwnedBlock } from '../../../../src/core/adapters/clickhouse/join-in-order.ts';
import { until } from '../../../helpers/until.ts';

const MIB = 1 << 20;

/** What happened to sources. */
class Log {
  started = 0;
  open = 0;
  most = 0;
  freed = 0;
  held = 0;
  most_held = 0;
}

interface Shape {
  blocks: number;
  size: number;
  fails: boolean;
  delay: number;
}

function blockOf(log: Log, name: string, size: number): OwnedBlock {
  log.held += size;
  log.most_held = Math.max(log.most_held, log.held);
  const free = () => {
    log.held -= size;
    log.freed++;
  };
  return { bytes: Buffer.alloc(size, name), lines: 1, free };
}

async function* sourceOf(log: Log, index: number, shape: Shape): AsyncGenerator<OwnedBlock> {
  log.started++;
  log.open++;
  log.most = Math.max(log.most, log.open);
  try {
    for (let block = 0; block < shape.blocks; block++) {
      for (let turn = 0; turn < shape.delay; turn++) await setImmediate();
      yield blockOf(log, `${index}.${block};`, shape.size);
    }
    if (shape.fails) throw new Error(`source ${index}`);
  } finally {
    log.open--;
  }
}

async function* sourcesOf(log: Log, shapes: Shape[], fails = false) {
  for (const [index, shape] of shapes.entries()) {
    await setImmediate();
    yield sourceOf(log, index, shape);
  }
  if (fails) throw new Error('sources');
}

const shape = fc.record({
  blocks: fc.nat(6),
  size: fc.constant(20),
  fails: fc.nat(9).map((luck) => luck === 0),
  delay: fc.nat(3),
});

test('blocks come in the order of their sources, up to the first error, from no more sources at a time than allowed', async () => {
  let together = 0;
  const property = fc.asyncProperty(
    fc.array(shape, { maxLength: 12 }),
    fc.integer({ min: 1, max: 4 }),
    fc.boolean(),
    async (shapes, streams, fails) => {
      const log = new Log();
      const expected: string[] = [];
      let error: string | undefined = fails ? 'sources' : undefined;
      for (const [index, { blocks, fails: broken }] of shapes.entries()) {
        for (let block = 0; block < blocks; block++) expected.push(`${index}.${block}`);
        if (!broken) continue;
        error = `source ${index}`;
        break;
      }
      const found: string[] = [];
      let thrown: string | undefined;
      let stopped = 0;
      try {
        const sources = sourcesOf(log, shapes, fails);
        for await (const { bytes } of joinInOrder(sources, streams, () => stopped++))
          found.push(bytes.toString().split(';')[0] ?? '');
      } catch (failure) {
        thrown = (failure as Error).message;
      }
      assert.deepEqual(found, expected);
      assert.equal(thrown, error);
      assert.equal(log.open, 0);
      assert.equal(stopped, 1);
      assert.ok(log.most <= streams, `${log.most} of ${streams}`);
      if (log.most > 2) together++;
    },
  );
  await fc.assert(property, { numRuns: 300 });
  assert.ok(together > 20, String(together));
});

test('what is read ahead is limited, and the next source starts although the first one is not read', async () => {
  const log = new Log();
  const shapes = Array.from({ length: 6 }, () => ({ blocks: 40, size: MIB, fails: false, delay: 0 }));
  const joined = joinInOrder(sourcesOf(log, shapes), 3, () => undefined);
  let count = 0;
  for await (const block of joined) {
    // Sources read ahead meanwhile.
    if (count === 0) await until(() => log.open === 3 && log.held > 16 * MIB, 5000, 'three sources are read');
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    block.free();
    count++;
  }
  assert.equal(count, 240);
  assert.equal(log.held, 0);
  assert.ok(log.most_held <= 24 * MIB, String(log.most_held / MIB));
});

test('long lines are read from one source at a time', async () => {
  const log = new Log();
  const long = { blocks: 3, size: 5 * MIB, fails: false, delay: 1 };
  const shapes = Array.from({ length: 8 }, () => long);
  for await (const block of joinInOrder(sourcesOf(log, shapes), 4, () => undefined)) {
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    block.free();
    if (log.started > 5) assert.ok(log.open <= 1, String(log.open));
  }
});

test('a reader that stops ends sources that stall', { timeout: 10_000 }, async () => {
  const stop = Promise.withResolvers<never>();
  stop.promise.catch(() => undefined);
  let ended = 0;
  const stalled = async function* (): AsyncGenerator<OwnedBlock> {
    try {
      yield { bytes: Buffer.from('x'), lines: 1, free: () => undefined };
      await stop.promise;
    } finally {
      ended++;
    }
  };
  const sources = async function* () {
    yield stalled();
    yield stalled();
    await stop.promise;
  };
  for await (const _ of joinInOrder(sources(), 3, () => stop.reject(new Error('stopped')))) {
    await setImmediate();
    break;
  }
  assert.equal(ended, 2);
});
