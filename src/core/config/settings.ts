import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { BifractError } from '../contract/errors.ts';
import { parseDuration } from '../policy/duration.ts';
import { formatAddress } from '../text/address.ts';
import type { EnvVars } from './env-file.ts';

/** More inserts of a restore at a time would only take memory. */
export const MAX_PARALLEL = 16;

export interface S3Settings {
  bucket: string;
  /** Undefined for AWS; if set, path-style addressing is used. */
  endpoint: string | undefined;
  region: string;
  access_key: string | undefined;
  secret_key: string | undefined;
  // The variables below belong to this program only: the server does not know them.
  /** Name of a storage class of the service, for example `STANDARD_IA` (`BIFRACT_S3_STORAGE_CLASS`). */
  storage_class: string | undefined;
  /** Server-side encryption, `AES256` or `aws:kms` (`BIFRACT_S3_SSE`). */
  sse: string | undefined;
  sse_kms_key_id: string | undefined;
  /** Path of a PEM file with additional certificate authorities to trust (`BIFRACT_S3_CA_FILE`). */
  ca_file: string | undefined;
  /** Fixed part size of uploads, MiB (`BIFRACT_S3_PART_MIB`); undefined: parts grow with the upload. */
  part_mib: number | undefined;
  /** From the usual variables `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in upper or lower case. */
  proxy: ProxySettings | undefined;
}

/** URLs may contain a password. */
export interface ProxySettings {
  https: string | undefined;
  http: string | undefined;
  /** Comma-separated hosts to connect to directly. */
  no_proxy: string | undefined;
}

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Encryption of connections to PostgreSQL, with the meaning that libpq gives to it. Absolute paths. */
export interface PostgresTls {
  mode: SslMode;
  /** Authorities to trust: `system`, or a PEM file. */
  ca_file: string | undefined;
  cert_file: string | undefined;
  key_file: string | undefined;
  crl_file: string | undefined;
  /** The name that the certificate must have with `verify-full`, if it is not the host of the connection. */
  server_name?: string;
}

/** Address and credentials of PostgreSQL. */
export interface PostgresConnection {
  /** A host name, an IP address, or the folder of a socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
  /** Undefined: never encrypted. */
  tls?: PostgresTls;
  /** What `tls` means for the driver, once it is decided. */
  ssl?: ConnectionOptions | false;
}

export interface PostgresSettings extends PostgresConnection {
  /** False if the host is only the default. */
  host_given: boolean;
}

/** How to check the certificate of ClickHouse, if its URL is https. */
export interface ClickHouseTls {
  /** PEM file of the authorities to trust instead of the usual ones. */
  ca_file: string | undefined;
  /** The name that the certificate must have, if it is not the host of the URL. */
  server_name: string | undefined;
  skip_verify: boolean;
}

/** Address and credentials of ClickHouse. */
export interface ClickHouseConnection {
  /** Origin of the HTTP interface; contains no secret. */
  url: string;
  /** Further hosts, tried in turn if one cannot be reached. */
  other_urls?: string[];
  database: string;
  user: string;
  password: string | undefined;
  /** Set on a sharded cluster: reads go to the distributed table. */
  cluster: string | undefined;
  /** ClickHouse Cloud: one logical server with several nodes. */
  cloud?: true;
  tls?: ClickHouseTls;
}

export interface ClickHouseSettings extends ClickHouseConnection {
  /** False if the host is only the default. */
  host_given: boolean;
  /** Port of the HTTP interface, used if the host turns out to be a container. */
  http_port: number;
  /** Port of the native protocol, which this program does not use. */
  native_port: number;
}

interface ArchiveSettings {
  /** Memory limit of one archive query in ClickHouse, bytes. */
  max_memory: number;
  /** Time limit of one archive, milliseconds. */
  max_duration_ms: number;
  /** Limit for the total time spent waiting for retries, milliseconds. */
  max_error_time_ms: number;
  /** Queries of an archive, or inserts of a restore, at a time (`BIFRACT_PARALLEL`); undefined: by the server. */
  parallel?: number;
  /**
   * Root of the archives on disk (`BIFRACT_ARCHIVE_DIR`), if they are not in the Docker volume. The server does not
   * know this variable.
   */
  dir: string | undefined;
}

interface ServerSettings {
  port: number;
  domain: string | undefined;
  base_url: string | undefined;
}

/** Validated settings of an installation. Contains secrets: never print or send it. */
export interface Settings {
  /** The backup key as configured, not parsed or checked. */
  encryption_key: string | undefined;
  /** Old keys that may still be needed to read files, comma-separated (`BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS`). */
  previous_keys: string[];
  /** Set if a bucket is configured: backups and archives then go there. */
  s3: S3Settings | undefined;
  postgres: PostgresSettings;
  clickhouse: ClickHouseSettings;
  archive: ArchiveSettings;
  server: ServerSettings;
}

/**
 * Reads settings from the installation's file and the process environment, which takes precedence. An empty variable
 * counts as not set, in both. Relative paths start in `dir`, the installation. Throws `ENV_INVALID` naming the variable,
 * and its value if that is not a secret.
 */
export function readSettings(file: EnvVars, environment: NodeJS.ProcessEnv, dir: string): Settings {
  const env = new Environment(file, environment, dir);
  return {
    encryption_key: env.text('BIFRACT_BACKUP_ENCRYPTION_KEY'),
    previous_keys: (env.text('BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS') ?? '').split(/[\s,]+/).filter(Boolean),
    s3: s3Settings(env),
    postgres: postgresSettings(env),
    clickhouse: clickhouseSettings(env),
    archive: {
      max_memory: env.count('BIFRACT_ARCHIVE_MAX_MEMORY', 3_000_000_000),
      max_duration_ms: env.duration('BIFRACT_ARCHIVE_MAX_DURATION', '24h'),
      max_error_time_ms: env.duration('BIFRACT_ARCHIVE_MAX_ERROR_TIME', '30m'),
      dir: env.path('BIFRACT_ARCHIVE_DIR'),
      ...parallelOf(env),
    },
    server: {
      port: env.port('BIFRACT_PORT', 8080),
      domain: env.text('BIFRACT_DOMAIN'),
      base_url: env.text('BIFRACT_BASE_URL'),
    },
  };
}

function parallelOf(env: Environment): Pick<ArchiveSettings, 'parallel'> {
  const name = 'BIFRACT_PARALLEL';
  if (env.text(name) === undefined) return {};
  const parallel = env.count(name, 1);
  if (parallel > MAX_PARALLEL) throw invalid(name, String(parallel), `a number from 1 to ${MAX_PARALLEL}`);
  return { parallel };
}

function s3Settings(env: Environment): S3Settings | undefined {
  const bucket = env.text('BIFRACT_S3_BUCKET');
  if (bucket === undefined) return undefined;
  return {
    bucket,
    endpoint: s3Endpoint(env),
    region: env.text('BIFRACT_S3_REGION') ?? 'us-east-1',
    access_key: env.text('BIFRACT_S3_ACCESS_KEY'),
    secret_key: env.text('BIFRACT_S3_SECRET_KEY'),
    storage_class: env.text('BIFRACT_S3_STORAGE_CLASS'),
    sse: env.text('BIFRACT_S3_SSE'),
    sse_kms_key_id: env.text('BIFRACT_S3_SSE_KMS_KEY_ID'),
    ca_file: env.path('BIFRACT_S3_CA_FILE'),
    part_mib: partMib(env),
    proxy: proxySettings(env),
  };
}

/** A path is part of the address of some services. Credentials have their own variables. */
function s3Endpoint(env: Environment): string | undefined {
  const name = 'BIFRACT_S3_ENDPOINT';
  const text = env.url(name);
  const url = text === undefined ? undefined : new URL(text);
  if (!url || (url.username === '' && url.password === '' && url.search === '' && url.hash === ''))
    return text;
  const wanted = 'a URL without a user, password, query or fragment';
  throw invalid(
    name,
    undefined,
    wanted,
    `Set BIFRACT_S3_ENDPOINT=${url.origin}, and BIFRACT_S3_ACCESS_KEY and _SECRET_KEY.`,
  );
}

/** S3 accepts no smaller parts, and Node cannot send a body of 2 GiB at once. */
function partMib(env: Environment): number | undefined {
  const name = 'BIFRACT_S3_PART_MIB';
  if (env.text(name) === undefined) return undefined;
  const value = env.count(name, 8);
  if (value < 5 || value > 2000) throw invalid(name, String(value), 'a size in MiB from 5 to 2000');
  return value;
}

function proxySettings(env: Environment): ProxySettings | undefined {
  const https = env.url('HTTPS_PROXY') ?? env.url('https_proxy');
  const http = env.url('HTTP_PROXY') ?? env.url('http_proxy');
  if (https === undefined && http === undefined) return undefined;
  return { https, http, no_proxy: env.text('NO_PROXY') ?? env.text('no_proxy') };
}

function postgresSettings(env: Environment): PostgresSettings {
  const host = env.host('POSTGRES_HOST', 'POSTGRES_PORT', 5432);
  return {
    host: host ?? 'localhost',
    port: env.port('POSTGRES_PORT', 5432),
    host_given: host !== undefined,
    database: env.text('POSTGRES_DB') ?? 'bifract',
    user: env.text('POSTGRES_USER') ?? 'bifract',
    password: env.text('POSTGRES_PASSWORD'),
    tls: postgresTls(env),
  };
}

/** The variables of this program, then those of libpq, then libpq's defaults. */
function postgresTls(env: Environment): PostgresTls {
  const ca_file = env.caFile('POSTGRES_CA_FILE') ?? env.caFile('PGSSLROOTCERT');
  const mode = env.choice('POSTGRES_SSLMODE', SSL_MODES) ?? env.choice('PGSSLMODE', SSL_MODES);
  const system = ca_file === 'system';
  if (system && mode !== undefined && mode !== 'verify-full') {
    throw new BifractError(
      'ENV_INVALID',
      `SSL mode ${mode} cannot be used with the certificates of the system`,
      {
        hint: 'Set POSTGRES_SSLMODE=verify-full.',
      },
    );
  }
  const folder = env.libpqFolder();
  return {
    mode: mode ?? (system ? 'verify-full' : 'prefer'),
    ca_file: ca_file ?? join(folder, 'root.crt'),
    cert_file: env.path('POSTGRES_CERT_FILE') ?? env.path('PGSSLCERT') ?? join(folder, 'postgresql.crt'),
    key_file: env.path('POSTGRES_KEY_FILE') ?? env.path('PGSSLKEY') ?? join(folder, 'postgresql.key'),
    crl_file: env.path('PGSSLCRL') ?? join(folder, 'root.crl'),
  };
}

const HTTP_PORT = 8123;
const SECURE_HTTP_PORT = 8443;
const NATIVE_PORT = 9000;
const SECURE_NATIVE_PORT = 9440;

const DEPLOYMENTS = ['single-node', 'cluster', 'cloud'];

function clickhouseSettings(env: Environment): ClickHouseSettings {
  const deployment = env.choice('CLICKHOUSE_DEPLOYMENT', DEPLOYMENTS);
  const secure = env.flag('CLICKHOUSE_SECURE', deployment === 'cloud');
  const default_port = secure ? SECURE_HTTP_PORT : HTTP_PORT;
  const host = env.host('CLICKHOUSE_HOST', 'CLICKHOUSE_HTTP_PORT', default_port);
  const given = clickhouseUrl(env);
  const http_port = env.port('CLICKHOUSE_HTTP_PORT', default_port);
  const native_port = env.port('CLICKHOUSE_PORT', secure ? SECURE_NATIVE_PORT : NATIVE_PORT);
  const scheme = secure ? 'https' : 'http';
  const hosts = clickhouseHosts(env, http_port, new Set([native_port, NATIVE_PORT, SECURE_NATIVE_PORT]));
  const [url = httpUrl(scheme, host ?? 'localhost', http_port), ...other_urls] = given
    ? [given.url]
    : hosts.map((one) => httpUrl(scheme, one.host, one.port));
  return {
    url,
    ...(other_urls.length > 0 && { other_urls }),
    host_given: given !== undefined || host !== undefined || hosts.length > 0,
    http_port,
    native_port,
    database: env.text('CLICKHOUSE_DB') ?? 'logs',
    user: given?.user ?? env.text('CLICKHOUSE_USER') ?? 'default',
    password: given?.password ?? env.text('CLICKHOUSE_PASSWORD'),
    cluster: clickhouseCluster(env, deployment),
    ...(deployment === 'cloud' && { cloud: true }),
    tls: {
      ca_file: env.path('CLICKHOUSE_CA_CERT'),
      server_name: env.text('CLICKHOUSE_TLS_SERVER_NAME')?.trim(),
      skip_verify: env.flag('CLICKHOUSE_TLS_INSECURE_SKIP_VERIFY', false),
    },
  };
}

/** Reading one shard as if it were all of the logs would make archives that lack rows. */
function clickhouseCluster(env: Environment, deployment: string | undefined): string | undefined {
  const cluster = env.text('CLICKHOUSE_CLUSTER');
  if (deployment === 'cluster' && cluster === undefined) {
    throw new BifractError(
      'ENV_INVALID',
      'CLICKHOUSE_DEPLOYMENT is cluster, but CLICKHOUSE_CLUSTER is not set',
      {
        hint: 'Set CLICKHOUSE_CLUSTER to the name of the cluster.',
      },
    );
  }
  return deployment === undefined || deployment === 'cluster' ? cluster : undefined;
}

/** The server uses the native protocol: its ports in the list are not those of HTTP. */
function clickhouseHosts(env: Environment, http_port: number, native_ports: ReadonlySet<number>) {
  return env.hosts('CLICKHOUSE_HOSTS').map(({ host, port }) => ({
    host,
    port: port === undefined || native_ports.has(port) ? http_port : port,
  }));
}

/** An URL of this form alone: what else it may contain, such as a database, has its own variable. */
function clickhouseUrl(
  env: Environment,
): { url: string; user: string | undefined; password: string | undefined } | undefined {
  const name = 'CLICKHOUSE_URL';
  const text = env.text(name)?.trim();
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw invalid(
      name,
      undefined,
      'an http or https URL',
      'Set CLICKHOUSE_URL to http://HOST:8123 or https://HOST:8443.',
    );
  }
  const database = url.searchParams.get('database') ?? url.pathname.slice(1).replace(/\/+$/, '');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    const also = /^\w+$/.test(database) ? `, and CLICKHOUSE_DB=${database} if that is the database` : '';
    const wanted = 'a URL without a path, query or fragment';
    throw invalid(name, undefined, wanted, `Set CLICKHOUSE_URL=${url.origin}${also}.`);
  }
  try {
    const [user, password] = [url.username, url.password].map(
      (part) => decodeURIComponent(part) || undefined,
    );
    return { url: url.origin, user, password };
  } catch {
    const wanted = 'a URL with a valid user and password';
    throw invalid(
      name,
      undefined,
      wanted,
      'Write a % in them as %25, or use CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.',
    );
  }
}

function httpUrl(scheme: string, host: string, port: number): string {
  return `${scheme}://${formatAddress(host, port)}`;
}

class Environment {
  readonly #file: EnvVars;
  readonly #process: NodeJS.ProcessEnv;
  readonly #dir: string;

  constructor(file: EnvVars, environment: NodeJS.ProcessEnv, dir: string) {
    this.#file = file;
    this.#process = environment;
    this.#dir = dir;
  }

  /** A value of nothing but spaces counts as not set, too. */
  text(name: string): string | undefined {
    const own = Object.hasOwn(this.#file, name) ? this.#file[name] : undefined;
    const value = [this.#process[name], own].find((one) => one?.trim());
    if (value?.includes('\0')) throw invalid(name, undefined, 'a text without NUL characters');
    return value;
  }

  path(name: string): string | undefined {
    const text = this.text(name)?.trim();
    return text === undefined ? undefined : resolve(this.#dir, text);
  }

  /** The word `system` stands for the certificates of the system. */
  caFile(name: string): string | undefined {
    return this.text(name)?.trim() === 'system' ? 'system' : this.path(name);
  }

  /** Where libpq looks for certificates. */
  libpqFolder(): string {
    return join(this.#process.HOME || homedir(), '.postgresql');
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name)?.trim().toLowerCase();
    if (text === undefined) return fallback;
    if (/^(1|true|yes|on)$/.test(text)) return true;
    if (/^(0|false|no|off)$/.test(text)) return false;
    throw invalid(name, text, 'true or false');
  }

  choice<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const text = this.text(name)?.trim();
    const value = values.find((one) => one === text);
    if (text !== undefined && value === undefined) throw invalid(name, text, `one of ${values.join(', ')}`);
    return value;
  }

  /** Hosts separated by commas, each with a port or without. */
  hosts(name: string): { host: string; port: number | undefined }[] {
    const items = (this.text(name) ?? '').split(/[\s,]+/).filter(Boolean);
    return items.map((item) => {
      const [, named, number] = HOST_AND_PORT.exec(item) ?? [];
      const host = (named ?? item).replace(/^\[(.*)\]$/, '$1');
      const port = number === undefined ? undefined : Number(number);
      const isPort = port === undefined || (port > 0 && port <= 65_535);
      if ((isIP(host) === 6 || HOST.test(host)) && isPort) return { host, port };
      throw invalid(name, undefined, 'a list of host names or IP addresses, separated by commas');
    });
  }

  /** A host name or IP address, or for PostgreSQL the folder of a socket. Brackets of an IPv6 address are removed. */
  host(name: string, port_name: string, default_port: number): string | undefined {
    const text = this.text(name)?.trim();
    if (text === undefined) return undefined;
    const host = text.replace(/^\[(.*)\]$/, '$1');
    const isSocket = name === 'POSTGRES_HOST' && host.startsWith('/');
    if (isIP(host) === 6 || (host === text && (HOST.test(host) || isSocket))) return host;
    // A URL or a list of hosts can contain a password.
    const [, bare, port = default_port] = HOST_AND_PORT.exec(text) ?? [];
    const found = bare ?? URL.parse(text)?.hostname;
    const hint =
      found && (HOST.test(found) || isIP(found.replace(/^\[|\]$/g, '')))
        ? `Set ${name}=${found} and ${port_name}=${URL.parse(text)?.port || port}.`
        : `Set ${name} to one host, and ${port_name} to its port.`;
    throw invalid(name, undefined, 'a host name or IP address', hint);
  }

  count(name: string, fallback: number): number {
    const text = this.text(name)?.trim() ?? String(fallback);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
      throw invalid(name, text, 'a positive integer');
    }
    return value;
  }

  port(name: string, fallback: number): number {
    const value = this.count(name, fallback);
    if (value > 65_535) throw invalid(name, String(value), 'a port number from 1 to 65535');
    return value;
  }

  duration(name: string, fallback: string): number {
    const text = this.text(name)?.trim() ?? fallback;
    const value = parseDuration(text);
    if (value === undefined || value <= 0)
      throw invalid(name, text, 'a positive duration such as 90s or 1h30m');
    return value;
  }

  url(name: string): string | undefined {
    const text = this.text(name)?.trim();
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw invalid(
        name,
        undefined,
        'an http or https URL',
        `Set ${name} to a URL such as https://HOST:PORT.`,
      );
    }
    return text.replace(/\/+$/, '');
  }
}

const HOST = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u;
const HOST_AND_PORT = /^([\p{L}\p{N}_.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/u;

/** Omit a value that may be secret: a URL can contain a password. */
function invalid(
  name: string,
  value: string | undefined,
  wanted: string,
  hint = `Correct ${name} in .env or in the environment.`,
): BifractError {
  const what =
    value === undefined ? `${name} is not ${wanted}` : `${name} is not ${wanted}: ${JSON.stringify(value)}`;
  return new BifractError('ENV_INVALID', what, { hint });
}
