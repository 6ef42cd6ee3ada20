import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '../../../src/core/config/settings.ts';
import { BifractError } from '../../../src/core/contract/errors.ts';

function refusal(vars: Record<string, string>): BifractError {
  try {
    readSettings(vars, {});
  } catch (error) {
    assert.ok(error instanceof BifractError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the settings were accepted' });
}

test('an empty file gives the defaults', () => {
  assert.deepEqual(readSettings({}, {}), {
    encryption_key: undefined,
    previous_keys: [],
    s3: undefined,
    postgres: {
      host: 'localhost',
      port: 5432,
      host_given: false,
      database: 'bifract',
      user: 'bifract',
      password: undefined,
    },
    clickhouse: {
      url: 'http://localhost:8123',
      host_given: false,
      http_port: 8123,
      native_port: 9000,
      database: 'logs',
      user: 'default',
      password: undefined,
      cluster: undefined,
    },
    archive: {
      max_memory: 3_000_000_000,
      max_duration_ms: 86_400_000,
      max_error_time_ms: 1_800_000,
      dir: undefined,
    },
    server: { port: 8080, domain: undefined, base_url: undefined },
  });
});

test('reads every variable', () => {
  const settings = readSettings(
    {
      BIFRACT_BACKUP_ENCRYPTION_KEY: 'ab',
      BIFRACT_S3_BUCKET: 'b',
      BIFRACT_S3_ENDPOINT: 'https://minio.local:9000/',
      BIFRACT_S3_ACCESS_KEY: 'id',
      BIFRACT_S3_SECRET_KEY: 'secret',
      BIFRACT_S3_REGION: 'eu-west-1',
      POSTGRES_HOST: 'db',
      POSTGRES_PORT: '6432',
      POSTGRES_DB: 'd',
      POSTGRES_USER: 'u',
      POSTGRES_PASSWORD: ' p ',
      CLICKHOUSE_HOST: '::1',
      CLICKHOUSE_PORT: '9001',
      CLICKHOUSE_HTTP_PORT: '8124',
      CLICKHOUSE_DB: 'l',
      CLICKHOUSE_USER: 'cu',
      CLICKHOUSE_PASSWORD: 'cp',
      CLICKHOUSE_CLUSTER: 'main',
      BIFRACT_ARCHIVE_MAX_MEMORY: '1000',
      BIFRACT_ARCHIVE_MAX_DURATION: '1h30m',
      BIFRACT_ARCHIVE_MAX_ERROR_TIME: '90s',
      BIFRACT_ARCHIVE_DIR: '/archives',
      BIFRACT_PORT: '80',
      BIFRACT_DOMAIN: 'logs.example.com',
      BIFRACT_BASE_URL: 'logs.example.com/x',
    },
    {},
  );
  assert.deepEqual(settings, {
    encryption_key: 'ab',
    previous_keys: [],
    s3: {
      bucket: 'b',
      endpoint: 'https://minio.local:9000',
      region: 'eu-west-1',
      access_key: 'id',
      secret_key: 'secret',
      storage_class: undefined,
      sse: undefined,
      sse_kms_key_id: undefined,
      ca_file: undefined,
      part_mib: undefined,
      proxy: undefined,
    },
    postgres: { host: 'db', port: 6432, host_given: true, database: 'd', user: 'u', password: ' p ' },
    clickhouse: {
      url: 'http://[::1]:8124',
      host_given: true,
      http_port: 8124,
      native_port: 9001,
      database: 'l',
      user: 'cu',
      password: 'cp',
      cluster: 'main',
    },
    archive: { max_memory: 1000, max_duration_ms: 5_400_000, max_error_time_ms: 90_000, dir: '/archives' },
    server: { port: 80, domain: 'logs.example.com', base_url: 'logs.example.com/x' },
  });
});

test('the process environment takes precedence, and an empty value counts as not set', () => {
  const file = { POSTGRES_USER: 'file', POSTGRES_DB: '', POSTGRES_PASSWORD: 'x', BIFRACT_S3_BUCKET: '' };
  const settings = readSettings(file, { POSTGRES_USER: 'process', POSTGRES_PASSWORD: '' });
  assert.equal(settings.postgres.user, 'process');
  assert.equal(settings.postgres.database, 'bifract');
  assert.equal(settings.postgres.password, undefined);
  assert.equal(settings.s3, undefined);
});

test('CLICKHOUSE_URL takes precedence over host and port', () => {
  const { url } = readSettings(
    { CLICKHOUSE_HOST: 'a', CLICKHOUSE_URL: 'https://ch.example.com:8443/' },
    {},
  ).clickhouse;
  assert.equal(url, 'https://ch.example.com:8443');
});

test('reads the S3 variables and the usual proxy variables', () => {
  const { s3 } = readSettings(
    {
      BIFRACT_S3_BUCKET: 'b',
      BIFRACT_S3_STORAGE_CLASS: 'STANDARD_IA',
      BIFRACT_S3_SSE: 'aws:kms',
      BIFRACT_S3_SSE_KMS_KEY_ID: 'key',
      BIFRACT_S3_CA_FILE: '/etc/ca.pem',
      BIFRACT_S3_PART_MIB: '64',
    },
    { HTTPS_PROXY: 'http://p:1', http_proxy: 'http://q:2', no_proxy: 'minio.local' },
  );
  assert.deepEqual([s3?.storage_class, s3?.sse, s3?.sse_kms_key_id], ['STANDARD_IA', 'aws:kms', 'key']);
  assert.deepEqual([s3?.ca_file, s3?.part_mib], ['/etc/ca.pem', 64]);
  assert.deepEqual(s3?.proxy, { https: 'http://p:1', http: 'http://q:2', no_proxy: 'minio.local' });
});

test('the error for an invalid value names the variable', () => {
  const bad: [name: string, values: string[]][] = [
    ['POSTGRES_PORT', ['x', '0', '-1', '65536', '1.5', '0x50', '1e3']],
    ['CLICKHOUSE_HTTP_PORT', ['http']],
    ['CLICKHOUSE_URL', ['clickhouse:8123', 'ftp://x', '//x']],
    ['BIFRACT_PORT', ['99999']],
    ['BIFRACT_S3_PART_MIB', ['4', '2001', '8MiB']],
    ['HTTPS_PROXY', ['proxy:3128']],
    ['BIFRACT_ARCHIVE_MAX_MEMORY', ['0', '3GB', '9007199254740993']],
    ['BIFRACT_ARCHIVE_MAX_DURATION', ['0', '-1h', '24', '1d', 'h', '1h 30m']],
    ['BIFRACT_ARCHIVE_MAX_ERROR_TIME', ['0s', '']],
  ];
  for (const [name, values] of bad) {
    for (const value of values.filter(Boolean)) {
      const error = refusal({ BIFRACT_S3_BUCKET: 'b', [name]: value });
      assert.equal(error.code, 'ENV_INVALID');
      assert.equal(error.exitCode, 3);
      assert.match(error.message, new RegExp(name));
    }
  }
});

test('an invalid URL is not shown, because it can contain a password', () => {
  const error = refusal({ CLICKHOUSE_URL: 'tcp://default:geheim@ch:9000' });
  assert.doesNotMatch(JSON.stringify(error.report()), /geheim/);
});
