import type { PostgresConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import { formatAddress } from '../../text/address.ts';
import { describeTlsProblem, type TlsSettingNames, tlsProblem } from '../tls-problem.ts';

/** Starting up, shutting down, out of connections; and errors of the driver and the system for a broken connection. */
const UNREACHABLE =
  /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT|EACCES)$/;
const BROKEN =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|not queryable/;
const REFUSED = new Set(['28P01', '28000']);
const NO_DATABASE = '3D000';
const NO_TABLE = '42P01';

const TLS_SETTINGS: TlsSettingNames = {
  ca: 'POSTGRES_CA_FILE',
  name: 'Set POSTGRES_HOST to the name in the certificate, or POSTGRES_SSLMODE=verify-ca to accept every name.',
  plain: 'Turn on ssl in the server, or set POSTGRES_SSLMODE=prefer if the network is trusted.',
  client:
    'Set POSTGRES_CERT_FILE and POSTGRES_KEY_FILE to a certificate that the server accepts, and its key.',
};

/** The SQLSTATE of an error, or its system error code. */
export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Converts an error of the driver to a `BifractError`. */
export function postgresError(error: unknown, connection: PostgresConnection): BifractError {
  if (error instanceof BifractError) return error;
  const { host, port, user, database } = connection;
  const code = sqlState(error);
  const message = messageOf(error);
  const at = `PostgreSQL at ${formatAddress(host, port)}`;
  const problem = tlsProblem(error);
  if (problem !== undefined) {
    const { what, hint } = describeTlsProblem(problem, error, TLS_SETTINGS);
    return unreachable(`${at} ${what}`, hint, error);
  }
  const refused = refusedByRule(code, message, Boolean(connection.ssl));
  if (refused) return unreachable(`${at} ${refused.what}`, refused.hint, error);
  if (REFUSED.has(code) || /no password supplied|SASL/.test(message)) {
    return unreachable(
      `${at} rejected the login of user ${user}`,
      'Check POSTGRES_USER and POSTGRES_PASSWORD. A password with a $ must be in single quotes in .env.',
      error,
    );
  }
  if (code === NO_DATABASE)
    return unreachable(`Database ${database} does not exist on ${at}`, 'Check POSTGRES_DB.', error);
  if (UNREACHABLE.test(code) || BROKEN.test(message)) {
    return unreachable(
      `Cannot connect to ${at}: ${message}`,
      'Check that it is running, and check POSTGRES_HOST and POSTGRES_PORT.',
      error,
    );
  }
  const hint =
    code === NO_TABLE
      ? `Check that ${database} is the database of a Bifract server.`
      : 'See the PostgreSQL log for details.';
  return new BifractError('QUERY_FAILED', `PostgreSQL: ${message}`, { hint, cause: error });
}

/** The rules of `pg_hba.conf` refuse a connection before any password is checked; their file is named in all languages. */
function refusedByRule(
  code: string,
  message: string,
  encrypted: boolean,
): { what: string; hint: string } | undefined {
  if (code !== '28000') return undefined;
  if (/certificate/.test(message)) {
    return { what: 'requires a client certificate', hint: TLS_SETTINGS.client };
  }
  if (!message.includes('pg_hba.conf')) return undefined;
  const hint = encrypted
    ? 'Allow it in pg_hba.conf; a hostnossl line there allows only POSTGRES_SSLMODE=disable.'
    : 'If it requires TLS, set POSTGRES_SSLMODE=require. Otherwise allow it in pg_hba.conf.';
  return {
    what: encrypted
      ? `does not accept this connection with TLS: ${message}`
      : `requires TLS, or does not accept this connection: ${message}`,
    hint,
  };
}

function unreachable(message: string, hint: string, cause: unknown): BifractError {
  return new BifractError('POSTGRES_UNREACHABLE', message, { hint, cause });
}

/** If several addresses were tried, the error contains one error for each and has no message itself. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
