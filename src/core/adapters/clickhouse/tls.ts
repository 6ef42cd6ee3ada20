import { Agent } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { readSettingsFile } from '../../config/read-file.ts';
import type { ClickHouseConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import { speaksTls } from '../tls-problem.ts';

const MAX_CONNECTIONS = 10;

/** The agent for an https URL; undefined for http. `ENV_INVALID` if the file of authorities cannot be used. */
export function tlsAgent({ url, tls }: ClickHouseConnection): Agent | undefined {
  if (!url.startsWith('https:')) return undefined;
  const { ca_file, server_name, skip_verify = false } = tls ?? {};
  return new Agent({
    keepAlive: true,
    maxSockets: MAX_CONNECTIONS,
    ca: ca_file === undefined ? undefined : readAuthorities(ca_file),
    rejectUnauthorized: !skip_verify,
    ...(server_name === undefined ? {} : nameToVerify(server_name)),
  });
}

/** An IP address may not be sent as the name of the server, but is verified like one. */
function nameToVerify(server_name: string) {
  return {
    ...(isIP(server_name) === 0 ? { servername: server_name } : {}),
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      checkServerIdentity(server_name, certificate),
  };
}

function readAuthorities(path: string): string {
  try {
    const text = readSettingsFile(path).toString();
    if (/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(text)) return text;
  } catch (cause) {
    if (cause instanceof BifractError) throw cause;
    throw unusable(
      `Cannot read ${path}, set by CLICKHOUSE_CA_CERT (${(cause as NodeJS.ErrnoException).code})`,
      cause,
    );
  }
  throw unusable(`${path}, set by CLICKHOUSE_CA_CERT, contains no certificate`);
}

function unusable(message: string, cause?: unknown): BifractError {
  return new BifractError('ENV_INVALID', message, {
    hint: 'Set it to a PEM file with the certificates of the authorities to trust.',
    cause,
  });
}

/** What a server that expects TLS does with a plain request: it breaks off, answers in TLS, or says so. */
const BROKEN_OFF =
  /ECONNRESET|HPE_|socket hang up|Parse Error|HTTP request was sent to HTTPS port|HTTP request to an HTTPS server/;

/** Whether a request without TLS failed because the server there uses TLS. */
export async function requiresTls(address: string, error: unknown): Promise<boolean> {
  const { protocol, hostname, port } = new URL(address);
  if (protocol !== 'http:' || !(error instanceof Error)) return false;
  if (!BROKEN_OFF.test(`${'code' in error ? error.code : ''} ${error.message}`)) return false;
  return speaksTls(hostname.replace(/^\[|\]$/g, ''), Number(port) || 80);
}
