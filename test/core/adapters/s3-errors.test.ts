import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { inspect } from 'node:util';
import { openS3Storage } from '../../../src/core/adapters/s3-storage.ts';
import type { S3Settings } from '../../../src/core/config/settings.ts';
import { BifractError, type ErrorCode } from '../../../src/core/errors.ts';
import { all, pieces } from '../../contracts/storage.ts';
import type { Fault } from '../../helpers/s3/fault.ts';
import { labSettings, QUICK, startLab } from '../../helpers/s3/lab.ts';
import { LAB } from '../../helpers/s3/server.ts';

let lab: Awaited<ReturnType<typeof startLab>>;

before(async () => {
  lab = await startLab({ versioning: true, object_lock: true });
});

afterEach(() => {
  lab.server.fault = undefined;
});

after(() => lab.stop());

interface Case {
  name: string;
  settings?: Partial<S3Settings>;
  fault?: Fault;
  code: ErrorCode;
  says: RegExp;
  hints: RegExp;
}

const CASES: Case[] = [
  {
    name: 'a wrong access key',
    settings: { access_key: 'other' },
    code: 'STORAGE_DENIED',
    says: /does not know the access key/,
    hints: /BIFRACT_S3_ACCESS_KEY/,
  },
  {
    name: 'a wrong secret key',
    settings: { secret_key: 'wrong-secret' },
    code: 'STORAGE_DENIED',
    says: /secret key is wrong/,
    hints: /BIFRACT_S3_SECRET_KEY/,
  },
  {
    name: 'a missing bucket',
    settings: { bucket: 'nowhere' },
    code: 'STORAGE_UNREACHABLE',
    says: /no bucket nowhere/,
    hints: /BIFRACT_S3_BUCKET/,
  },
  {
    name: 'a clock that is off',
    fault: { status: 403, code: 'RequestTimeTooSkewed' },
    code: 'STORAGE_DENIED',
    says: /clock/,
    hints: /timedatectl/,
  },
  {
    name: 'a wrong region',
    fault: { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-central-1' } },
    code: 'STORAGE_UNREACHABLE',
    says: /not in the region us-east-1/,
    hints: /BIFRACT_S3_REGION=eu-central-1/,
  },
  {
    name: 'expired credentials',
    fault: { status: 400, code: 'ExpiredToken' },
    code: 'STORAGE_DENIED',
    says: /expired/,
    hints: /BIFRACT_S3_ACCESS_KEY/,
  },
  {
    name: 'missing rights',
    fault: { status: 403, code: 'AccessDenied' },
    code: 'STORAGE_DENIED',
    says: /denies/,
    hints: /get, put, list and delete/,
  },
  {
    name: 'a used-up quota',
    fault: { status: 403, code: 'QuotaExceeded' },
    code: 'STORAGE_FULL',
    says: /no room/,
    hints: /quota/,
  },
  {
    name: 'a service in trouble',
    fault: { status: 503, code: 'ServiceUnavailable' },
    code: 'STORAGE_UNREACHABLE',
    says: /answers 503/,
    hints: /later/,
  },
  {
    name: 'a closed port',
    settings: { endpoint: 'http://127.0.0.1:1' },
    code: 'STORAGE_UNREACHABLE',
    says: /127\.0\.0\.1:1 cannot be reached: nothing listens/,
    hints: /BIFRACT_S3_ENDPOINT/,
  },
  {
    name: 'a name that is unknown',
    settings: { endpoint: 'http://nowhere.invalid' },
    code: 'STORAGE_UNREACHABLE',
    says: /nowhere\.invalid cannot be reached/,
    hints: /BIFRACT_S3_ENDPOINT/,
  },
  {
    name: 'a CA file that is not there',
    settings: { ca_file: '/nowhere/ca.pem' },
    code: 'ENV_INVALID',
    says: /BIFRACT_S3_CA_FILE/,
    hints: /PEM/,
  },
];

for (const { name, settings, fault, code, says, hints } of CASES) {
  test(`${name} has its own sentence, from every call`, async () => {
    lab.server.fault = () => fault;
    const storage = openS3Storage(labSettings(lab.server.url, settings), { patience: QUICK });
    const calls = [
      () => storage.stat('a.bin'),
      () => storage.put('a.bin', pieces(Buffer.from('x'), 1)),
      () => storage.read('a.bin', 0, 10),
      () => storage.delete('a.bin'),
      () => all(storage.list('')),
      () => all(storage.leftovers()),
    ];
    for (const call of calls) {
      const error = await call().then(
        () => assert.fail('no error'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof BifractError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, says);
      assert.match(error.hint ?? '', hints);
      holdsNoSecret(inspect(error, { depth: 20, showHidden: true }));
    }
    const health = await storage.probe();
    assert.equal(health.ok, false);
    assert.match(health.detail, says);
  });
}

function holdsNoSecret(text: string): void {
  for (const secret of [LAB.secret_key, LAB.access_key, 'wrong-secret', 'Signature=', 'geheim']) {
    assert.ok(!text.includes(secret), text);
  }
}

test('a web page instead of S3 is told', async (t) => {
  const web = createServer((_, response) => response.end('<html><body>Welcome</body></html>'));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.after(() => web.close());
  const endpoint = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const health = await openS3Storage(labSettings(endpoint), { patience: QUICK }).probe();
  assert.equal(health.ok, false);
  assert.match(health.detail, /S3/);
});

test('the password of an address appears nowhere', async () => {
  const endpoint = 'http://user:geheim@127.0.0.1:1';
  const storage = openS3Storage(labSettings(endpoint), { patience: QUICK });
  assert.equal(storage.location, 's3://lab at http://127.0.0.1:1');
  const error = await storage.stat('a').catch((reason: unknown) => reason);
  holdsNoSecret(inspect(error, { depth: 20, showHidden: true }));
});

test('a service that repeats secrets is not repeated', async () => {
  lab.server.fault = () => ({ status: 400, code: `Bad:${LAB.secret_key}:${LAB.access_key}` });
  const storage = openS3Storage(labSettings(lab.server.url), { patience: QUICK });
  const error = await all(storage.list('')).catch((reason: unknown) => reason);
  assert.match(String(error), /Bad:\*\*\*/);
  holdsNoSecret(inspect(error, { depth: 20, showHidden: true }));
});

test('a service that cannot be reached at first is soon given up', async () => {
  let tries = 1;
  const onRetry = () => void tries++;
  const storage = openS3Storage(labSettings('http://127.0.0.1:1'), { patience: QUICK, onRetry });
  await assert.rejects(storage.stat('a'));
  assert.equal(tries, QUICK.first_attempts);
});

test('a probe tells of versioning and object lock', async () => {
  const health = await openS3Storage(labSettings(lab.server.url)).probe();
  assert.equal(health.ok, true);
  assert.match(health.detail, /versioning is on.*object lock is on/);
  assert.equal(lab.server.buckets.get('lab')?.uploads.size, 0);
});

test('a probe tries an upload in parts: rights for small files are not enough', async () => {
  const storage = openS3Storage(labSettings(lab.server.url), { patience: QUICK });
  for (const operation of ['create-upload', 'upload-part', 'list-uploads', 'abort-upload']) {
    lab.server.fault = (question) =>
      question.operation === operation ? { status: 403, code: 'AccessDenied' } : undefined;
    const health = await storage.probe();
    assert.deepEqual(
      [health.ok, /denie|right/i.test(health.detail)],
      [false, true],
      `${operation}: ${health.detail}`,
    );
  }
});
