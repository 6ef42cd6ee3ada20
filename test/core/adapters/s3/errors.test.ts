import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { inspect } from 'node:util';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import type { S3Settings } from '../../../../src/core/config/settings.ts';
import { BifractError, type ErrorCode } from '../../../../src/core/contract/errors.ts';
import { all, pieces } from '../../../contracts/storage.ts';
import type { Fault } from '../../../helpers/s3/fault.ts';
import { TEST_CREDENTIALS } from '../../../helpers/s3/server.ts';
import { BUCKET, QUICK_RETRIES, startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';

let lab: Awaited<ReturnType<typeof startS3Server>>;

before(async () => {
  lab = await startS3Server({ versioning: true, object_lock: true });
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
  message: RegExp;
  hint: RegExp;
}

const CASES: Case[] = [
  {
    name: 'a wrong access key',
    settings: { access_key: 'other' },
    code: 'STORAGE_DENIED',
    message: /access key/,
    hint: /BIFRACT_S3_ACCESS_KEY/,
  },
  {
    name: 'a wrong secret key',
    settings: { secret_key: 'wrong-secret' },
    code: 'STORAGE_DENIED',
    message: /secret key/,
    hint: /BIFRACT_S3_SECRET_KEY/,
  },
  {
    name: 'a missing bucket',
    settings: { bucket: 'nowhere' },
    code: 'STORAGE_UNREACHABLE',
    message: /nowhere/,
    hint: /BIFRACT_S3_BUCKET/,
  },
  {
    name: 'a wrong clock',
    fault: { status: 403, code: 'RequestTimeTooSkewed' },
    code: 'STORAGE_DENIED',
    message: /clock/,
    hint: /timedatectl/,
  },
  {
    name: 'a wrong region',
    fault: { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-central-1' } },
    code: 'STORAGE_UNREACHABLE',
    message: /us-east-1/,
    hint: /BIFRACT_S3_REGION=eu-central-1/,
  },
  {
    name: 'expired credentials',
    fault: { status: 400, code: 'ExpiredToken' },
    code: 'STORAGE_DENIED',
    message: /expired/,
    hint: /BIFRACT_S3_ACCESS_KEY/,
  },
  {
    name: 'missing permissions',
    fault: { status: 403, code: 'AccessDenied' },
    code: 'STORAGE_DENIED',
    message: /403/,
    hint: new RegExp(`get, put, list and delete.*${BUCKET}`),
  },
  {
    name: 'a used-up quota',
    fault: { status: 403, code: 'QuotaExceeded' },
    code: 'STORAGE_FULL',
    message: /space/,
    hint: /quota/,
  },
  {
    name: 'an unavailable service',
    fault: { status: 503, code: 'ServiceUnavailable' },
    code: 'STORAGE_UNREACHABLE',
    message: /503/,
    hint: /later/,
  },
  {
    name: 'a closed port',
    settings: { endpoint: 'http://127.0.0.1:1' },
    code: 'STORAGE_UNREACHABLE',
    message: /127\.0\.0\.1:1\b.*refused/,
    hint: /BIFRACT_S3_ENDPOINT/,
  },
  {
    name: 'an unknown host',
    settings: { endpoint: 'http://nowhere.invalid' },
    code: 'STORAGE_UNREACHABLE',
    message: /nowhere\.invalid/,
    hint: /BIFRACT_S3_ENDPOINT/,
  },
  {
    name: 'a missing CA file',
    settings: { ca_file: '/nowhere/ca.pem' },
    code: 'ENV_INVALID',
    message: /\/nowhere\/ca\.pem.*BIFRACT_S3_CA_FILE/,
    hint: /PEM/,
  },
];

for (const { name, settings, fault, code, message, hint } of CASES) {
  test(`${name}: every call has the same error, without secrets`, async () => {
    lab.server.fault = () => fault;
    const storage = openS3Storage(testS3Settings(lab.server.url, settings), { retry: QUICK_RETRIES });
    const calls = [
      () => storage.stat('a.bin'),
      () => storage.put('a.bin', pieces(Buffer.from('x'), 1)),
      () => storage.read('a.bin', 0, 10),
      () => storage.delete('a.bin'),
      () => all(storage.list('')),
      () => all(storage.listUnfinished()),
    ];
    for (const call of calls) {
      const error = await call().then(
        () => assert.fail('no error'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof BifractError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      holdsNoSecret(inspect(error, { depth: 20, showHidden: true }));
    }
    const health = await storage.probe();
    assert.equal(health.ok, false);
    assert.match(health.detail, message);
  });
}

function holdsNoSecret(text: string): void {
  for (const secret of [
    TEST_CREDENTIALS.secret_key,
    TEST_CREDENTIALS.access_key,
    'wrong-secret',
    'Signature=',
    'geheim',
  ]) {
    assert.ok(!text.includes(secret), text);
  }
}

test('a website instead of S3 is reported', async (t) => {
  const web = createServer((_, response) => response.end('<html><body>Welcome</body></html>'));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.after(() => web.close());
  const endpoint = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const health = await openS3Storage(testS3Settings(endpoint), { retry: QUICK_RETRIES }).probe();
  assert.equal(health.ok, false);
  assert.match(health.detail, /BIFRACT_S3_ENDPOINT/);
});

test('a percent sign in the password of a proxy is reported like any wrong proxy', async () => {
  const proxy = { https: undefined, http: 'http://user:100%geheim@127.0.0.1:1', no_proxy: undefined };
  const storage = openS3Storage(testS3Settings('http://127.0.0.1:1', { proxy }), { retry: QUICK_RETRIES });
  const { ok, detail } = await storage.probe();
  assert.equal(ok, false);
  assert.match(detail, /_PROXY|proxies/);
  holdsNoSecret(detail);
});

test('the password of a URL is never shown', async () => {
  const endpoint = 'http://user:geheim@127.0.0.1:1';
  const storage = openS3Storage(testS3Settings(endpoint), { retry: QUICK_RETRIES });
  assert.equal(storage.location, 's3://lab at http://127.0.0.1:1');
  const error = await storage.stat('a').catch((reason: unknown) => reason);
  holdsNoSecret(inspect(error, { depth: 20, showHidden: true }));
});

test('secrets in a response are masked', async () => {
  lab.server.fault = () => ({
    status: 400,
    code: `Bad:${TEST_CREDENTIALS.secret_key}:${TEST_CREDENTIALS.access_key}`,
  });
  const storage = openS3Storage(testS3Settings(lab.server.url), { retry: QUICK_RETRIES });
  const error = await all(storage.list('')).catch((reason: unknown) => reason);
  assert.match(String(error), /Bad:\*\*\*/);
  holdsNoSecret(inspect(error, { depth: 20, showHidden: true }));
});

test('a service that was never reached gets fewer attempts', async () => {
  let tries = 1;
  const onRetry = () => void tries++;
  const storage = openS3Storage(testS3Settings('http://127.0.0.1:1'), { retry: QUICK_RETRIES, onRetry });
  await assert.rejects(storage.stat('a'));
  assert.equal(tries, QUICK_RETRIES.first_attempts);
});

test('a probe reports versioning and object lock', async () => {
  const health = await openS3Storage(testS3Settings(lab.server.url)).probe();
  assert.equal(health.ok, true);
  assert.match(health.detail, /versioning.*object lock/);
  assert.equal(lab.server.buckets.get('lab')?.uploads.size, 0);
});

test('a probe tests multipart uploads: permissions for small files are not enough', async () => {
  const storage = openS3Storage(testS3Settings(lab.server.url), { retry: QUICK_RETRIES });
  for (const operation of ['create-upload', 'upload-part', 'list-uploads', 'abort-upload']) {
    lab.server.fault = (question) =>
      question.operation === operation ? { status: 403, code: 'AccessDenied' } : undefined;
    const health = await storage.probe();
    assert.deepEqual(
      [health.ok, /403 AccessDenied/.test(health.detail)],
      [false, true],
      `${operation}: ${health.detail}`,
    );
  }
});
