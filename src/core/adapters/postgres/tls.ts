import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
} from 'node:tls';
import { readSettingsFile } from '../../config/read-file.ts';
import type { PostgresConnection, PostgresTls } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { tlsProblem } from '../tls-problem.ts';
import { clientConfig, loadDriver } from './driver.ts';
import { postgresError, sqlState } from './errors.ts';

type Ssl = NonNullable<PostgresConnection['ssl']>;

/**
 * Decides whether connections are encrypted, as libpq does: its modes `allow` and `prefer` try one way, then the other.
 * Returns the connection with `ssl` for the driver, which has modes of its own. Throws `POSTGRES_UNREACHABLE` if both
 * ways fail or the client's files cannot be used, `ENV_INVALID` if a required file is missing.
 */
export async function settleTls(
  connection: PostgresConnection,
  options: CallOptions = {},
): Promise<PostgresConnection> {
  const { tls, host } = connection;
  // libpq never encrypts on a Unix socket.
  if (!tls || tls.mode === 'disable' || host.startsWith('/')) return { ...connection, ssl: false };
  const encrypted = () => sslOptions(connection, tls);
  if (tls.mode === 'prefer') return firstThatWorks(connection, [encrypted, plain], options);
  if (tls.mode === 'allow') return firstThatWorks(connection, [plain, encrypted], options);
  return { ...connection, ssl: await encrypted() };
}

const plain = async (): Promise<Ssl> => false;

async function firstThatWorks(
  connection: PostgresConnection,
  ways: [() => Promise<Ssl>, () => Promise<Ssl>],
  options: CallOptions,
): Promise<PostgresConnection> {
  const failures: unknown[] = [];
  for (const way of ways) {
    let attempt = connection;
    try {
      attempt = { ...connection, ssl: await way() };
      await tryLogin(attempt, options);
      return attempt;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!mayWorkOtherwise(error)) return attempt;
      const failure = postgresError(error, attempt);
      // Nothing is left to decide, so the first connection can show whether the login works.
      if (failures.length === 0 && isNotOffered(failure)) return { ...connection, ssl: false };
      failures.push(failure);
    }
  }
  // That the server has no TLS is not why a login without it failed, or the other way round.
  throw failures.find((one) => !isNotOffered(one)) ?? failures[0];
}

async function tryLogin(connection: PostgresConnection, { signal }: CallOptions): Promise<void> {
  const { Client } = await loadDriver();
  const client = new Client(clientConfig(connection));
  try {
    await orAbort(client.connect(), signal);
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** A rejected login, or a failed handshake. Other failures have other reasons, and will show again. */
function mayWorkOtherwise(error: unknown): boolean {
  return /^28/.test(sqlState(error)) || tlsProblem(error) !== undefined || error instanceof BifractError;
}

function isNotOffered(error: unknown): boolean {
  return error instanceof BifractError && tlsProblem(error.cause) === 'not-offered';
}

async function sslOptions(connection: PostgresConnection, tls: PostgresTls): Promise<ConnectionOptions> {
  const ca = await authorities(tls);
  const identity = await clientIdentity(tls);
  const crl = ca === undefined || tls.crl_file === undefined ? undefined : readOptional(tls.crl_file);
  const name = tls.server_name ?? connection.host;
  try {
    return {
      secureContext: createSecureContext({ ca, crl, ...identity }),
      // libpq verifies whenever it has authorities to verify against.
      rejectUnauthorized: ca !== undefined,
      checkServerIdentity: (_host, certificate) =>
        tls.mode === 'verify-full' ? identityError(certificate, name) : undefined,
      ...(isIP(name) === 0 ? { servername: name } : {}),
    };
  } catch (error) {
    throw postgresError(error, connection);
  }
}

/** Undefined if nothing is to be verified: without a file, only `verify-ca` and `verify-full` fail. */
async function authorities({ mode, ca_file }: PostgresTls): Promise<Buffer | string[] | undefined> {
  if (ca_file === 'system') return getCACertificates('system');
  const ca = ca_file === undefined ? undefined : readOptional(ca_file);
  if (ca !== undefined || !mode.startsWith('verify')) return ca;
  throw new BifractError(
    'ENV_INVALID',
    `No file with trusted certificates at ${ca_file}, required by SSL mode ${mode}`,
    {
      hint: 'Set POSTGRES_CA_FILE to a PEM file, or to system for the certificates of the system.',
    },
  );
}

/** The certificate of the client, if there is one; then there must be a key, private as libpq demands. */
async function clientIdentity({
  cert_file,
  key_file,
}: PostgresTls): Promise<{ cert?: Buffer; key?: Buffer }> {
  const cert = cert_file === undefined ? undefined : readOptional(cert_file);
  if (cert === undefined || key_file === undefined) return {};
  const key = readOptional(key_file);
  if (key === undefined) {
    throw unusable(
      `The client certificate ${cert_file} has no key at ${key_file}`,
      'Set POSTGRES_KEY_FILE to its key.',
    );
  }
  const found = await stat(key_file);
  if (!found.isFile())
    throw unusable(`${key_file} is not a regular file`, 'Set POSTGRES_KEY_FILE to the key.');
  if ((found.mode & (found.uid === 0 ? 0o037 : 0o077)) !== 0) {
    throw unusable(`Other users can read or change ${key_file}`, `Run: chmod 600 ${key_file}`);
  }
  return { cert, key };
}

function unusable(message: string, hint: string): BifractError {
  return new BifractError('POSTGRES_UNREACHABLE', message, { hint });
}

function readOptional(path: string): Buffer | undefined {
  try {
    return readSettingsFile(path);
  } catch (cause) {
    if (cause instanceof BifractError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new BifractError('ENV_INVALID', `Cannot read ${path} (${code})`, {
      hint: 'Check its permissions, and the variables POSTGRES_CA_FILE, POSTGRES_CERT_FILE and POSTGRES_KEY_FILE.',
      cause,
    });
  }
}

/** libpq's rule: the alternative names, and the common name only if none of them is of the kind of the host. */
function identityError(certificate: PeerCertificate, host: string): Error | undefined {
  const names = namesIn(certificate);
  const kind = isIP(host) ? 'IP Address' : 'DNS';
  const candidates = names.some((one) => one.kind === kind) ? names : [...names, commonName(certificate)];
  if (candidates.some((one) => matches(one, host))) return undefined;
  const found = candidates.map(({ name }) => name).filter(Boolean);
  const message = `it is for ${found.join(', ') || 'no name'}, not for ${host}`;
  return Object.assign(new Error(message), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

interface CertificateName {
  kind: string;
  name: string;
}

function namesIn({ raw }: PeerCertificate): CertificateName[] {
  const text = new X509Certificate(raw).subjectAltName ?? '';
  return text.split(', ').flatMap((part) => {
    const [, kind, name] = /^(DNS|IP Address):(.+)$/.exec(part) ?? [];
    return kind !== undefined && name !== undefined ? [{ kind, name }] : [];
  });
}

function commonName({ subject }: PeerCertificate): CertificateName {
  const name: string | string[] | undefined = subject?.CN;
  return { kind: 'DNS', name: (Array.isArray(name) ? name[0] : name) ?? '' };
}

function matches({ kind, name }: CertificateName, host: string): boolean {
  if (kind === 'IP Address') return isSameAddress(name, host);
  const [pattern, wanted] = [name.toLowerCase(), host.toLowerCase()];
  if (!pattern.startsWith('*.') || isIP(host)) return pattern === wanted;
  const [first = '', ...rest] = wanted.split('.');
  return first !== '' && `.${rest.join('.')}` === pattern.slice(1);
}

function isSameAddress(one: string, other: string): boolean {
  const [family, wanted] = [isIP(one), isIP(other)];
  if (family === 0 || family !== wanted) return false;
  const list = new BlockList();
  list.addAddress(one, family === 6 ? 'ipv6' : 'ipv4');
  return list.check(other, family === 6 ? 'ipv6' : 'ipv4');
}

/** The first release of libpq that knows the word `system`. */
const SYSTEM_SINCE = 16;
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The variables that give PostgreSQL's programs the same encryption. Complete, so that no file or variable of the caller
 * is used instead. `major` is the version of the program.
 */
export async function tlsEnvironment(
  { host, tls }: PostgresConnection,
  major: number,
): Promise<Record<string, string>> {
  if (!tls || host.startsWith('/')) return {};
  const { mode, ca_file, cert_file, key_file, crl_file, server_name } = tls;
  const root = ca_file === 'system' && major < SYSTEM_SINCE ? await systemBundle() : ca_file;
  const variables = {
    PGSSLMODE: mode,
    PGSSLROOTCERT: root,
    PGSSLCERT: cert_file,
    PGSSLKEY: key_file,
    PGSSLCRL: crl_file,
    // The name to verify, and the address to connect to.
    ...(server_name === undefined ? {} : { PGHOST: server_name, PGHOSTADDR: host }),
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function systemBundle(): Promise<string> {
  for (const path of [process.env.SSL_CERT_FILE, ...SYSTEM_BUNDLES]) {
    if (path && (await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  return SYSTEM_BUNDLES[0] as string;
}
