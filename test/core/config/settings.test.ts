import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSettings as read, type Settings } from '../../../src/core/config/settings.ts';
import { BifractError } from '../../../src/core/contract/errors.ts';

const DIR = '/srv/bifract';
const TLS_DEFAULTS = {
  mode: 'prefer',
  ca_file: '/home/me/.postgresql/root.crt',
  cert_file: '/home/me/.postgresql/postgresql.crt',
  key_file: '/home/me/.postgresql/postgresql.key',
  crl_file: '/home/me/.postgresql/root.crl',
};
const CH_TLS_DEFAULTS = { ca_file: undefined, server_name: undefined, skip_verify: false };

function readSettings(vars: Record<string, string>, environment: NodeJS.ProcessEnv): Settings {
  return read(vars, { HOME: '/home/me', ...environment }, DIR);
}

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
      tls: TLS_DEFAULTS,
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
      tls: CH_TLS_DEFAULTS,
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
    postgres: {
      host: 'db',
      port: 6432,
      host_given: true,
      database: 'd',
      user: 'u',
      password: ' p ',
      tls: TLS_DEFAULTS,
    },
    clickhouse: {
      url: 'http://[::1]:8124',
      host_given: true,
      http_port: 8124,
      native_port: 9001,
      database: 'l',
      user: 'cu',
      password: 'cp',
      cluster: 'main',
      tls: CH_TLS_DEFAULTS,
    },
    archive: { max_memory: 1000, max_duration_ms: 5_400_000, max_error_time_ms: 90_000, dir: '/archives' },
    server: { port: 80, domain: 'logs.example.com', base_url: 'logs.example.com/x' },
  });
});

test('the process environment takes precedence; an empty or blank value hides nothing', () => {
  const file = {
    POSTGRES_USER: 'file',
    POSTGRES_DB: '',
    POSTGRES_PASSWORD: 'x',
    BIFRACT_S3_BUCKET: 'b',
    CLICKHOUSE_DB: 'l',
  };
  const environment = {
    POSTGRES_USER: 'process',
    POSTGRES_PASSWORD: '',
    BIFRACT_S3_BUCKET: '',
    CLICKHOUSE_DB: ' ',
  };
  const settings = readSettings(file, environment);
  assert.equal(settings.postgres.user, 'process');
  assert.equal(settings.postgres.database, 'bifract');
  assert.equal(settings.postgres.password, 'x');
  assert.equal(settings.s3?.bucket, 'b');
  assert.equal(settings.clickhouse.database, 'l');
});

test('relative paths start in the installation', () => {
  const settings = readSettings(
    {
      BIFRACT_ARCHIVE_DIR: 'data',
      BIFRACT_S3_BUCKET: 'b',
      BIFRACT_S3_CA_FILE: './s3.pem',
      POSTGRES_CA_FILE: 'certs/ca.pem',
      POSTGRES_CERT_FILE: '../me.crt',
      CLICKHOUSE_CA_CERT: 'ch.pem',
    },
    { PGSSLKEY: 'me.key', PGSSLROOTCERT: 'other.pem' },
  );
  const { tls } = settings.postgres;
  assert.deepEqual(
    [
      settings.archive.dir,
      settings.s3?.ca_file,
      tls?.ca_file,
      tls?.cert_file,
      tls?.key_file,
      settings.clickhouse.tls?.ca_file,
    ],
    ['data', 's3.pem', 'certs/ca.pem', '../me.crt', 'me.key', 'ch.pem'].map((path) => join(DIR, path)),
  );
});

test('the mode of TLS comes from our variable, then from that of libpq', () => {
  const mode = (vars: Record<string, string>) => readSettings(vars, {}).postgres.tls?.mode;
  assert.equal(mode({ PGSSLMODE: 'verify-ca' }), 'verify-ca');
  assert.equal(mode({ PGSSLMODE: 'verify-ca', POSTGRES_SSLMODE: 'disable' }), 'disable');
  assert.equal(mode({ POSTGRES_CA_FILE: 'system' }), 'verify-full');
  assert.equal(readSettings({ PGSSLROOTCERT: 'system' }, {}).postgres.tls?.ca_file, 'system');
  assert.equal(refusal({ POSTGRES_CA_FILE: 'system', POSTGRES_SSLMODE: 'require' }).code, 'ENV_INVALID');
});

test('CLICKHOUSE_SECURE, and the cloud, mean https on its port', () => {
  const url = (vars: Record<string, string>) =>
    readSettings({ CLICKHOUSE_HOST: 'ch', ...vars }, {}).clickhouse.url;
  for (const yes of ['1', 'true', 'YES', 'on'])
    assert.equal(url({ CLICKHOUSE_SECURE: yes }), 'https://ch:8443');
  for (const no of ['0', 'False', 'no', 'off'])
    assert.equal(url({ CLICKHOUSE_SECURE: no }), 'http://ch:8123');
  assert.equal(url({ CLICKHOUSE_DEPLOYMENT: 'cloud' }), 'https://ch:8443');
  assert.equal(url({ CLICKHOUSE_DEPLOYMENT: 'cloud', CLICKHOUSE_SECURE: '0' }), 'http://ch:8123');
  assert.equal(url({ CLICKHOUSE_SECURE: '1', CLICKHOUSE_HTTP_PORT: '443' }), 'https://ch:443');
  assert.equal(url({ CLICKHOUSE_SECURE: '1', CLICKHOUSE_URL: 'http://x:1' }), 'http://x:1');
});

test('user and password in CLICKHOUSE_URL take precedence and are removed from it', () => {
  const { url, user, password } = readSettings(
    { CLICKHOUSE_URL: 'https://me:p%40ss%3A@ch:8443', CLICKHOUSE_USER: 'x', CLICKHOUSE_PASSWORD: 'y' },
    {},
  ).clickhouse;
  assert.deepEqual([url, user, password], ['https://ch:8443', 'me', 'p@ss:']);
});

test('an address is accepted with its meaning, or refused with the right form', () => {
  const host = (value: string) => readSettings({ POSTGRES_HOST: value, CLICKHOUSE_HOST: value }, {});
  for (const [value, bare, url] of [
    ['[::1]', '::1', 'http://[::1]:8123'],
    ['2001:db8::5', '2001:db8::5', 'http://[2001:db8::5]:8123'],
    [' db_1.example.com ', 'db_1.example.com', 'http://db_1.example.com:8123'],
  ] as const) {
    const { postgres, clickhouse } = host(value);
    assert.deepEqual([postgres.host, clickhouse.url], [bare, url]);
  }
  assert.equal(readSettings({ POSTGRES_HOST: '/run/postgresql' }, {}).postgres.host, '/run/postgresql');
  const refused: [name: string, value: string, form: string][] = [
    ['POSTGRES_HOST', 'db:6432', 'POSTGRES_HOST=db and POSTGRES_PORT=6432'],
    ['POSTGRES_HOST', '[fe80::1]:6432', 'POSTGRES_HOST=[fe80::1] and POSTGRES_PORT=6432'],
    ['POSTGRES_HOST', 'postgres://u:geheim@db/x', 'POSTGRES_HOST=db and POSTGRES_PORT=5432'],
    ['POSTGRES_HOST', 'a,b', 'POSTGRES_HOST'],
    ['POSTGRES_HOST', 'run/postgresql', 'POSTGRES_HOST'],
    ['POSTGRES_HOST', '[db]', 'POSTGRES_HOST'],
    ['CLICKHOUSE_HOST', '/run/x', 'CLICKHOUSE_HOST'],
    ['CLICKHOUSE_HOST', 'https://u:geheim@ch:9999/x', 'CLICKHOUSE_HOST=ch and CLICKHOUSE_HTTP_PORT=9999'],
    ['CLICKHOUSE_HOST', 'u:geheim@ch', 'CLICKHOUSE_HOST'],
    ['CLICKHOUSE_URL', 'ch:8123', 'CLICKHOUSE_URL'],
    [
      'CLICKHOUSE_URL',
      'http://u:geheim@ch:1/?database=db7',
      'CLICKHOUSE_URL=http://ch:1, and CLICKHOUSE_DB=db7',
    ],
    ['CLICKHOUSE_URL', 'http://ch:1/db8/', 'CLICKHOUSE_URL=http://ch:1, and CLICKHOUSE_DB=db8'],
    ['CLICKHOUSE_URL', 'http://ch/?password=geheim', 'CLICKHOUSE_URL=http://ch'],
    ['CLICKHOUSE_URL', 'http://ch/#geheim', 'CLICKHOUSE_URL=http://ch'],
    ['CLICKHOUSE_URL', 'http://u:geheim%@ch', 'CLICKHOUSE_PASSWORD'],
    ['BIFRACT_S3_ENDPOINT', 'minio:9000', 'BIFRACT_S3_ENDPOINT'],
    ['BIFRACT_S3_ENDPOINT', 'http://u:geheim@minio:9000', 'BIFRACT_S3_ENDPOINT'],
    ['BIFRACT_S3_ENDPOINT', 'http://minio:9000/?x=geheim', 'BIFRACT_S3_ENDPOINT'],
    ['POSTGRES_PASSWORD', 'a\0geheim', 'POSTGRES_PASSWORD'],
  ];
  for (const [name, value, form] of refused) {
    const error = refusal({ BIFRACT_S3_BUCKET: 'b', [name]: value });
    assert.equal(error.code, 'ENV_INVALID');
    assert.ok(error.hint?.includes(form), `${value}: ${error.hint}`);
    assert.doesNotMatch(JSON.stringify(error.report()), /geheim/);
  }
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
    ['POSTGRES_SSLMODE', ['no-verify', 'REQUIRE', '1']],
    ['PGSSLMODE', ['no-verify', 'verify_full']],
    ['CLICKHOUSE_SECURE', ['enabled', '2']],
    ['CLICKHOUSE_TLS_INSECURE_SKIP_VERIFY', ['y']],
    ['BIFRACT_S3_PART_MIB', ['4', '2001', '8MiB']],
    ['BIFRACT_PARALLEL', ['0', '17', 'all']],
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

test('ClickHouse hosts are a list; native ports in it are not those of HTTP', () => {
  const urls = (env: Record<string, string>) => {
    const { url, other_urls = [], host_given } = readSettings(env, {}).clickhouse;
    assert.equal(host_given, true);
    return [url, ...other_urls];
  };
  assert.deepEqual(urls({ CLICKHOUSE_HOSTS: 'a, b:9000 ,[::1]:9001,c:8124', CLICKHOUSE_PORT: '9001' }), [
    'http://a:8123',
    'http://b:8123',
    'http://[::1]:8123',
    'http://c:8124',
  ]);
  assert.deepEqual(urls({ CLICKHOUSE_HOSTS: 'a:9440', CLICKHOUSE_HOST: 'x', CLICKHOUSE_SECURE: 'yes' }), [
    'https://a:8443',
  ]);
  assert.deepEqual(urls({ CLICKHOUSE_HOSTS: 'a', CLICKHOUSE_URL: 'https://b:1' }), ['https://b:1']);
  for (const hosts of ['http://a', 'a:0', 'a:99999', 'a/b', 'u:secret@a'])
    assert.equal(refusal({ CLICKHOUSE_HOSTS: hosts }).code, 'ENV_INVALID', hosts);
});

test('the deployment decides about TLS and the cluster', () => {
  const read = (env: Record<string, string>) => readSettings(env, {}).clickhouse;
  const cloud = read({ CLICKHOUSE_DEPLOYMENT: 'cloud', CLICKHOUSE_HOST: 'h', CLICKHOUSE_CLUSTER: 'default' });
  assert.deepEqual(
    [cloud.url, cloud.native_port, cloud.cloud, cloud.cluster],
    ['https://h:8443', 9440, true, undefined],
  );
  assert.equal(read({ CLICKHOUSE_DEPLOYMENT: 'cloud', CLICKHOUSE_SECURE: '0' }).url, 'http://localhost:8123');
  const cluster = { CLICKHOUSE_DEPLOYMENT: 'cluster', CLICKHOUSE_CLUSTER: 'main' };
  assert.deepEqual([read(cluster).cluster, read(cluster).cloud], ['main', undefined]);
  assert.equal(read({ ...cluster, CLICKHOUSE_DEPLOYMENT: 'single-node' }).cluster, undefined);
  assert.equal(refusal({ CLICKHOUSE_DEPLOYMENT: 'cluster' }).code, 'ENV_INVALID');
  assert.equal(refusal({ CLICKHOUSE_DEPLOYMENT: 'other' }).code, 'ENV_INVALID');
});
