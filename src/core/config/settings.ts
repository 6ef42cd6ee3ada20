import { BifractError } from '../contract/errors.ts';
import { parseDuration } from '../policy/duration.ts';
import type { EnvVars } from './env-file.ts';

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

/** Address and credentials of PostgreSQL. */
export interface PostgresConnection {
  /** A host name, an IP address, or the folder of a socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
}

export interface PostgresSettings extends PostgresConnection {
  /** False if the host is only the default. */
  host_given: boolean;
}

/** Address and credentials of ClickHouse. */
export interface ClickHouseConnection {
  /** HTTP interface. A user and password in the URL take precedence. */
  url: string;
  database: string;
  user: string;
  password: string | undefined;
  /** Set on a sharded cluster: reads go to the distributed table. */
  cluster: string | undefined;
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
 * counts as not set. Throws `ENV_INVALID` naming the variable, and its value if that is not a secret.
 */
export function readSettings(file: EnvVars, environment: NodeJS.ProcessEnv): Settings {
  const env = new Environment(file, environment);
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
      dir: env.text('BIFRACT_ARCHIVE_DIR'),
    },
    server: {
      port: env.port('BIFRACT_PORT', 8080),
      domain: env.text('BIFRACT_DOMAIN'),
      base_url: env.text('BIFRACT_BASE_URL'),
    },
  };
}

function s3Settings(env: Environment): S3Settings | undefined {
  const bucket = env.text('BIFRACT_S3_BUCKET');
  if (bucket === undefined) return undefined;
  return {
    bucket,
    endpoint: env.url('BIFRACT_S3_ENDPOINT'),
    region: env.text('BIFRACT_S3_REGION') ?? 'us-east-1',
    access_key: env.text('BIFRACT_S3_ACCESS_KEY'),
    secret_key: env.text('BIFRACT_S3_SECRET_KEY'),
    storage_class: env.text('BIFRACT_S3_STORAGE_CLASS'),
    sse: env.text('BIFRACT_S3_SSE'),
    sse_kms_key_id: env.text('BIFRACT_S3_SSE_KMS_KEY_ID'),
    ca_file: env.text('BIFRACT_S3_CA_FILE'),
    part_mib: partMib(env),
    proxy: proxySettings(env),
  };
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
  const host = env.text('POSTGRES_HOST');
  return {
    host: host ?? 'localhost',
    port: env.port('POSTGRES_PORT', 5432),
    host_given: host !== undefined,
    database: env.text('POSTGRES_DB') ?? 'bifract',
    user: env.text('POSTGRES_USER') ?? 'bifract',
    password: env.text('POSTGRES_PASSWORD'),
  };
}

function clickhouseSettings(env: Environment): ClickHouseSettings {
  const host = env.text('CLICKHOUSE_HOST');
  const given = env.url('CLICKHOUSE_URL');
  const http_port = env.port('CLICKHOUSE_HTTP_PORT', 8123);
  return {
    url: given ?? httpUrl(host ?? 'localhost', http_port),
    host_given: given !== undefined || host !== undefined,
    http_port,
    native_port: env.port('CLICKHOUSE_PORT', 9000),
    database: env.text('CLICKHOUSE_DB') ?? 'logs',
    user: env.text('CLICKHOUSE_USER') ?? 'default',
    password: env.text('CLICKHOUSE_PASSWORD'),
    cluster: env.text('CLICKHOUSE_CLUSTER'),
  };
}

/** The URL of an HTTP service; an IPv6 address is put in brackets. */
function httpUrl(host: string, port: number): string {
  const bare = host.replace(/^\[|\]$/g, '');
  return `http://${bare.includes(':') ? `[${bare}]` : bare}:${port}`;
}

class Environment {
  readonly #file: EnvVars;
  readonly #process: NodeJS.ProcessEnv;

  constructor(file: EnvVars, environment: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#process = environment;
  }

  text(name: string): string | undefined {
    const own = Object.hasOwn(this.#file, name) ? this.#file[name] : undefined;
    return (this.#process[name] ?? own) || undefined;
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
    if (!url || !/^https?:$/.test(url.protocol)) throw invalid(name, undefined, 'an http or https URL');
    return text.replace(/\/+$/, '');
  }
}

/** Omit a value that may be secret: a URL can contain a password. */
function invalid(name: string, value: string | undefined, wanted: string): BifractError {
  const what =
    value === undefined ? `${name} is not ${wanted}` : `${name} is not ${wanted}: ${JSON.stringify(value)}`;
  return new BifractError('ENV_INVALID', what, { hint: `Correct ${name} in .env or in the environment.` });
}
