import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import { all, collect, pattern, pieces } from '../../../contracts/storage.ts';
import type { Operation } from '../../../helpers/s3/request.ts';
import { BUCKET, startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';

const CONTENT = pattern(13 << 20);

function spawnScript(script: string, args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(`../../../helpers/s3/${script}`, import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const MOMENTS: [operation: Operation, nth: number, answered: boolean][] = [
  ['create-upload', 1, true],
  ['create-upload', 2, true],
  ['upload-part', 1, false],
  ['upload-part', 3, true],
  ['complete-upload', 1, false],
  ['complete-upload', 1, true],
  ['abort-upload', 1, false],
];

/** How many of the moments left an object, and how many an unfinished one. */
const outcomes = { objects: 0, unfinished: 0 };

describe('a killed writer', { concurrency: 2 }, () => {
  after(() => assert.ok(outcomes.objects > 0 && outcomes.unfinished > 0, JSON.stringify(outcomes)));

  for (const [operation, nth, answered] of MOMENTS) {
    const moment = `${answered ? 'after' : 'before'} ${operation} ${nth} is done`;
    test(`${moment}: only complete objects are listed, and unfinished ones can be removed`, async () => {
      const lab = await startS3Server();
      try {
        await killAt(lab.server.url, moment, (kill) => {
          let left = nth;
          lab.server.fault = (question) => {
            if (left === 0) kill();
            else if (question.operation === operation) left--;
            if (left > 0) return undefined;
            if (answered) return { lose_response: true };
            kill();
            return { stall: true };
          };
        });
        lab.server.fault = undefined;
        await onlyComplete(lab.server.url);
        assert.ok(openKeys(lab).every((key) => key.startsWith('.bifract-uploads/')));
      } finally {
        await lab.stop();
      }
    });
  }
});

async function killAt(url: string, moment: string, arm: (kill: () => void) => void): Promise<void> {
  const settings = JSON.stringify(testS3Settings(url, { part_mib: 5 }));
  const child = spawnScript('upload-object.ts', [settings, 'a.bin', String(CONTENT.length)]);
  arm(() => child.kill('SIGKILL'));
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL', moment);
}

async function onlyComplete(url: string): Promise<void> {
  const storage = openS3Storage(testS3Settings(url));
  const listed = await all(storage.list(''));
  for (const { name } of listed) {
    outcomes.objects += 1;
    assert.ok((await collect(storage.stream(name))).equals(CONTENT));
  }
  for (const unfinished of await all(storage.listUnfinished())) {
    outcomes.unfinished += 1;
    assert.equal(unfinished.name, 'a.bin');
    await storage.discardUnfinished(unfinished);
  }
  assert.deepEqual(await all(storage.listUnfinished()), []);
}

function openKeys({ server }: Awaited<ReturnType<typeof startS3Server>>): string[] {
  return [...(server.buckets.get(BUCKET)?.uploads.values() ?? [])].map(({ key }) => key);
}

test('a restart of the service only repeats the parts in progress', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-s3-'));
  let service = spawnScript('main.ts', [dir, '0', BUCKET]);
  try {
    const [url] = await once(createInterface(service.stdout as NodeJS.ReadableStream), 'line');
    const storage = openS3Storage(testS3Settings(url, { part_mib: 5 }));
    async function* content() {
      yield* pieces(CONTENT.subarray(0, 11 << 20), 1 << 20);
      service.kill('SIGKILL');
      await once(service, 'exit');
      service = spawnScript('main.ts', [dir, new URL(url).port]);
      yield CONTENT.subarray(11 << 20);
    }
    await storage.put('a.bin', content(), { job: 'job-1' });
    assert.ok((await collect(storage.stream('a.bin'))).equals(CONTENT));
    assert.deepEqual(await all(storage.listUnfinished()), []);
  } finally {
    service.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
});
