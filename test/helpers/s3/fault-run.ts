import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openS3Storage } from '../../../src/core/adapters/s3/storage.ts';
import { BifractError, cancelled } from '../../../src/core/contract/errors.ts';
import type { Storage } from '../../../src/core/ports/storage.ts';
import { SCENARIOS, type Scenario } from './fault-plans.ts';
import { Random } from './random.ts';
import { type S3Server, TEST_CREDENTIALS } from './server.ts';
import { BUCKET, QUICK_RETRIES, startS3Server, testS3Settings } from './test-server.ts';

const MAX_BYTES = 18_000_000;
const SOURCE = randomBytes(MAX_BYTES);
const NAME = 'archives/f/f-20260301-120000.bifract-archive';
const EXPECTED_CODES = new Set([
  'STORAGE_UNREACHABLE',
  'STORAGE_DENIED',
  'STORAGE_FAILED',
  'CANCELLED',
  'EXISTS',
]);

export interface FaultRun {
  scenario: string;
  bytes: number;
  outcome: 'stored' | string;
}

/**
 * One upload with seeded faults. Either the object is complete, or there is a clear error, no object and no open
 * upload. Only a permanent fault may leave an open upload, which `leftovers` must find.
 */
export async function runFault(seed: number): Promise<FaultRun> {
  const random = new Random(seed);
  const names = Object.keys(SCENARIOS);
  const scenario = names[seed % names.length] ?? 'none';
  const lab = await startS3Server({ conditional: random.chance(0.7) });
  try {
    const bytes = random.chance(0.3) ? random.int(0, 5_000_000) : random.int(5_000_001, MAX_BYTES);
    const outcome = await upload(lab.server, SCENARIOS[scenario]?.(random) as Scenario, bytes, random);
    return { scenario, bytes, outcome };
  } finally {
    await lab.stop();
  }
}

async function upload(server: S3Server, scenario: Scenario, bytes: number, random: Random): Promise<string> {
  const storage = openS3Storage(testS3Settings(server.url, { part_mib: 5 }), { retry: QUICK_RETRIES });
  const content = SOURCE.subarray(0, bytes);
  const controller = new AbortController();
  const cancelAt = random.chance(0.15) ? random.int(1, 12) : undefined;
  server.fault = (request) => {
    if (request.count === cancelAt) controller.abort(cancelled());
    return scenario.plan(request);
  };
  const put = storage.put(NAME, pieces(content, random), { job: 'job-1', signal: controller.signal });
  const error = await put.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  server.fault = undefined;
  if (error === undefined) await checkStored(storage, server, content, scenario.for_good === true);
  else await checkNotStored(storage, server, error, scenario.for_good === true);
  return error instanceof BifractError ? error.code : 'stored';
}

async function checkStored(
  storage: Storage,
  server: S3Server,
  content: Buffer,
  mayLeave: boolean,
): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of storage.stream(NAME)) pieces.push(piece);
  assert.ok(Buffer.concat(pieces).equals(content), 'stored content differs');
  checkNoOpenUploads(server, mayLeave, 'a success');
}

async function checkNotStored(
  storage: Storage,
  server: S3Server,
  error: unknown,
  mayLeave: boolean,
): Promise<void> {
  assert.ok(error instanceof BifractError, String(error));
  assert.ok(EXPECTED_CODES.has(error.code), `${error.code}: ${error.message}`);
  for (const secret of Object.values(TEST_CREDENTIALS))
    assert.ok(!JSON.stringify(error.report()).includes(secret));
  const bucket = server.buckets.get(BUCKET);
  if (mayLeave)
    for await (const leftover of storage.listUnfinished()) await storage.discardUnfinished(leftover);
  checkNoOpenUploads(server, mayLeave, error.message);
  assert.equal(bucket?.objects.size, 0, `object stored despite: ${error.message}`);
}

/** Markers, which are empty, may remain if the service rejects everything. */
function checkNoOpenUploads(server: S3Server, mayLeave: boolean, after: string): void {
  const keys = [...(server.buckets.get(BUCKET)?.uploads.values() ?? [])].map(({ key }) => key);
  const open = keys.filter((key) => !mayLeave || !key.startsWith('.bifract-uploads/'));
  assert.deepEqual(open, [], `upload left open after: ${after}`);
}

async function* pieces(content: Buffer, random: Random): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; ) {
    const size = random.int(1, 1_000_000);
    yield content.subarray(at, at + size);
    at += size;
  }
}
