import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { secretsOf } from '../../../src/core/config/secrets.ts';
import { addSecrets, mask, maskAll } from '../../../src/core/text/mask.ts';

const S = 'Zq8~vQ';

/** Texts in which `Zq8~vQ` is a secret that no settings name. */
const LEAKS = [
  `connect postgres://bifract:${S}@db:5432/x failed`,
  `"http://:${S}@proxy.local:3128/" is not reachable`,
  `https://user:a/${S}@b@host/path`,
  `GET / failed, Authorization: Bearer ${S}`,
  `curl: -H "Authorization: Basic ${S}"`,
  `{"authorization":"AWS4-HMAC-SHA256 Credential=AK/x, Signature=${S}"}`,
  `sent Bearer ${S} to the server`,
  `GET /b/k?X-Amz-Signature=${S}&X-Amz-Credential=${S}%2F2026&X-Amz-Security-Token=${S}`,
  `?AWSAccessKeyId=${S}&Signature=${S}`,
  `host=db user=bifract password=${S} dbname=x`,
  `password = '${S} with a space'`,
  `invalid line: POSTGRES_PASSWORD=${S}`,
  `BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS="${S},${S}"`,
  `--token=${S} --api-key=${S}`,
  `{"secret_key": "${S}\\"${S}"}`,
  `alter role bifract password '${S}''${S}'`,
  `X-ClickHouse-Password:${S}`,
];

for (const text of LEAKS) {
  test(`masks ${text.replaceAll(S, '…')}`, () => {
    const masked = mask(text);
    assert.ok(!masked.includes(S), masked);
    assert.ok(masked.includes('***'));
    assert.equal(mask(masked), masked);
  });
}

const HARMLESS = [
  'Check POSTGRES_USER and POSTGRES_PASSWORD.',
  'POSTGRES_PASSWORD: the server rejects it',
  'FATAL: password authentication failed for user "bifract"',
  's3://bucket at http://127.0.0.1:9000',
  '12:30:05 done: 5 files, key 0a1b2c3d',
  'Basic checks passed; the bearer has no rights',
  'Set BIFRACT_S3_REGION=eu-central-1.',
  'bifract-backup-20260301-120000.bifract-backup (sha256 e3b0c44298fc1c149afbf4c8996fb924)',
];

for (const text of HARMLESS) {
  test(`leaves ${text}`, () => {
    assert.equal(mask(text), text);
  });
}

test('known secrets are masked anywhere, however they are written', () => {
  const secret = 'p@ss "ä"/1 plainly';
  addSecrets([secret]);
  for (const text of [secret, encodeURIComponent(secret), JSON.stringify({ x: secret }), `a${secret}b`])
    assert.ok(!/plainly/.test(mask(text)), text);
  addSecrets(['word77']);
  assert.equal(mask('x word77, sword77s'), 'x ***, sword77s');
});

test('a long text takes no long time, whatever a server sends', () => {
  for (const unit of [
    'password-',
    'a.',
    'a',
    'http://',
    '://a:',
    'bearer ',
    'password ',
    'token="',
    '"',
    '\\',
    'authorization',
  ])
    for (const end of ['', '=']) {
      const text = `=${unit.repeat(20_000 / unit.length)}${end}`;
      const started = performance.now();
      mask(text);
      assert.ok(performance.now() - started < 1000, unit);
    }
});

test('words that are no secrets are left', () => {
  addSecrets(['bifract', 'abc', undefined, '']);
  assert.equal(mask('bifract abc'), 'bifract abc');
});

test('data is masked deeply, other values are kept', () => {
  addSecrets(['deep-secret-value']);
  const data = {
    a: ['x deep-secret-value'],
    n: 5,
    none: null,
    password: 'any',
    key_id: '12345678',
    ok: true,
  };
  assert.deepEqual(maskAll(data), {
    a: ['x ***'],
    n: 5,
    none: null,
    password: '***',
    key_id: '12345678',
    ok: true,
  });
});

test('any known secret is masked in any text', () => {
  const secret = fc.string({ minLength: 12, maxLength: 40, unit: 'binary' });
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
      fc.pre(!/^\W*$/.test(value));
      addSecrets([value]);
      assert.ok(!mask(before + value + after).includes(value));
    }),
    { numRuns: 200 },
  );
});

test('the working directory is no secret, whatever its variable looks like', () => {
  assert.deepEqual(secretsOf({ PWD: '/opt/bifract', OLDPWD: '/opt/other', DB_PWD: 'hunter2hunter2' }), [
    ...['hunter2hunter2', 'hunter2hunter2'],
  ]);
});

test('the secrets of an installation are found by name and in URLs', () => {
  const found = secretsOf({
    POSTGRES_PASSWORD: 'one-secret',
    BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS: 'two-secret, three-secret',
    BIFRACT_S3_SECRET_KEY: 'four-secret',
    JWT_SECRET: 'five-secret',
    SMTP_PASS: 'six-secret',
    HTTPS_PROXY: 'http://user:seven%40secret@proxy:3128',
    CLICKHOUSE_PASSWORD: 'logs-user',
    CLICKHOUSE_USER: 'logs-user',
    BIFRACT_S3_CA_FILE: '/etc/ca.pem',
    POSTGRES_SSL_KEY_FILE: '/etc/key.pem',
    BIFRACT_S3_SSE_KMS_KEY_ID: 'arn:aws:kms',
    TOKEN_TTL: '3600 seconds',
    KEYBOARD: 'not-secret',
    EMPTY_PASSWORD: '',
  });
  const expected = ['one-secret', 'two-secret', 'three-secret', 'four-secret', 'five-secret', 'six-secret'];
  assert.deepEqual(
    new Set(found.filter((one) => !one.includes(', '))),
    new Set([...expected, 'seven%40secret', 'seven@secret']),
  );
});
