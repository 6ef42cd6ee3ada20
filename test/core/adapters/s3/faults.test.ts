import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import type { Storage } from '../../../../src/core/ports/storage.ts';
import { collect, pieces, refuses } from '../../../contracts/storage.ts';
import type { FaultPlan } from '../../../helpers/s3/fault.ts';
import { SCENARIOS } from '../../../helpers/s3/fault-plans.ts';
import { runFault } from '../../../helpers/s3/fault-run.ts';
import type { Operation } from '../../../helpers/s3/request.ts';
import { BUCKET, QUICK_RETRIES, startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';

const RUNS = 2 * Object.keys(SCENARIOS).length;
const CONTENT = randomBytes(13 << 20);

let lab: Awaited<ReturnType<typeof startS3Server>>;
let storage: Storage;
let asked: Operation[];

beforeEach(async () => {
  lab = await startS3Server();
  // A busy machine must not be mistaken for a stalled connection.
  const retry = { ...QUICK_RETRIES, stall_ms: 10_000 };
  storage = openS3Storage(testS3Settings(lab.server.url, { part_mib: 5 }), { retry: retry });
  asked = [];
});

afterEach(() => lab.stop());

function faulty(plan: FaultPlan): void {
  lab.server.fault = (question) => {
    asked.push(question.operation);
    return plan(question);
  };
}

function put(content = CONTENT) {
  return storage.put('a.bin', pieces(content, 1 << 20), { job: 'job-1' });
}

function times(operation: Operation): number {
  return asked.filter((one) => one === operation).length;
}

function openUploads(): string[] {
  return [...(lab.server.buckets.get(BUCKET)?.uploads.values() ?? [])].map(({ key }) => key);
}

async function isStored(): Promise<void> {
  lab.server.fault = undefined;
  assert.ok((await collect(storage.stream('a.bin'))).equals(CONTENT));
  assert.deepEqual(openUploads(), []);
}

async function isGone(): Promise<void> {
  lab.server.fault = undefined;
  assert.equal(await storage.stat('a.bin'), undefined);
  assert.deepEqual(openUploads(), []);
}

test(`${RUNS} seeded uploads with faults: complete, or an error and nothing left`, async () => {
  let next = 0;
  const worker = async () => {
    while (next < RUNS) {
      const seed = next++;
      await assert.doesNotReject(runFault(seed), `seed ${seed}`);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
});

for (const part of [1, 2, 3]) {
  test(`a broken connection in part ${part} only repeats that part`, async () => {
    let cuts = 2;
    faulty((question) => (question.part === part && cuts-- > 0 ? { cut_after: 1_000_000 } : undefined));
    await put();
    assert.equal(times('upload-part'), 5);
    await isStored();
  });
}

test('a stalled part is sent again', async () => {
  let stalls = 1;
  faulty(({ part }) => (part === 2 && stalls-- > 0 ? { stall: true } : undefined));
  storage = openS3Storage(testS3Settings(lab.server.url, { part_mib: 5 }), { retry: QUICK_RETRIES });
  await put();
  await isStored();
});

test('a corrupted part is detected and sent again', async () => {
  let spoiled = 1;
  faulty(({ part }) => (part === 3 && spoiled-- > 0 ? { corrupt: true } : undefined));
  await put();
  assert.equal(times('upload-part'), 4);
  await isStored();
});

test('a part that is always corrupted fails the upload', async () => {
  faulty(({ part }) => (part === 2 ? { corrupt: true } : undefined));
  await refuses('STORAGE_FAILED', put());
  await isGone();
});

test('a completion with status 200 and an error is a failure', async () => {
  faulty(({ operation }) =>
    operation === 'complete-upload' ? { error_in_200: 'InternalError' } : undefined,
  );
  await refuses('STORAGE_UNREACHABLE', put());
  assert.equal(times('complete-upload'), QUICK_RETRIES.attempts);
  await isGone();
});

test('a completion whose response is lost is verified, not repeated', async () => {
  faulty(({ operation }) => (operation === 'complete-upload' ? { lose_response: true } : undefined));
  await put();
  assert.equal(times('complete-upload'), 1);
  await isStored();
});

test('a small object whose response is lost is verified, not repeated', async () => {
  faulty(({ operation }) => (operation === 'put-object' ? { lose_response: true } : undefined));
  await put(CONTENT.subarray(0, 1000));
  assert.equal(times('put-object'), 1);
});

test('an upload opened twice because the response was lost leaves no duplicate', async () => {
  let lost = 1;
  faulty(({ operation }) =>
    operation === 'create-upload' && lost-- > 0 ? { lose_response: true } : undefined,
  );
  await put();
  await isStored();
});

test('a permanent error is not retried', async () => {
  faulty(({ operation }) =>
    operation === 'upload-part' ? { status: 403, code: 'AccessDenied' } : undefined,
  );
  await refuses('STORAGE_DENIED', put());
  assert.ok(times('upload-part') <= 3);
  await isGone();
});

test('a part that fails permanently closes endless content', async () => {
  let ended = false;
  async function* endless() {
    try {
      while (true) yield CONTENT.subarray(0, 1 << 20);
    } finally {
      ended = true;
    }
  }
  faulty(({ part }) => (part === 3 ? { status: 400, code: 'InvalidRequest' } : undefined));
  await refuses('STORAGE_FAILED', storage.put('a.bin', endless()));
  assert.ok(ended);
  await isGone();
});

test('conditional writes do not replace an object written in the meantime', async () => {
  const other = openS3Storage(testS3Settings(lab.server.url));
  let wrote: Promise<unknown> | undefined;
  faulty(({ operation }) => {
    if (operation !== 'complete-upload' || wrote) return undefined;
    wrote = other.put('a.bin', pieces(Buffer.from('other'), 10));
    return { until: wrote };
  });
  await refuses('EXISTS', put());
  await wrote;
  lab.server.fault = undefined;
  assert.equal(String(await storage.read('a.bin', 0, 10)), 'other');
  assert.deepEqual(openUploads(), []);
});

test('a retry is reported with its reason and wait', async () => {
  const retries: string[] = [];
  const reporting = openS3Storage(testS3Settings(lab.server.url), {
    retry: QUICK_RETRIES,
    onRetry: ({ attempt, reason: why, wait_ms }) => retries.push(`${attempt} ${why} ${wait_ms > 0}`),
  });
  let storm = 2;
  faulty(() => (storm-- > 0 ? { status: 503, code: 'SlowDown' } : undefined));
  await reporting.list('')[Symbol.asyncIterator]().next();
  assert.deepEqual(retries, ['1 503 SlowDown true', '2 503 SlowDown true']);
});

test('only a few parts are in memory at once', async () => {
  let given = 0;
  let stored = 0;
  let most = 0;
  async function* counting() {
    for (let i = 0; i < 100; i++) {
      most = Math.max(most, given - stored);
      given += 1 << 20;
      yield CONTENT.subarray(0, 1 << 20);
    }
  }
  faulty(({ operation }) => {
    if (operation === 'upload-part') stored += 5 << 20;
    return undefined;
  });
  await storage.put('a.bin', counting());
  assert.ok(most <= 30 << 20, `${most} bytes`);
});
