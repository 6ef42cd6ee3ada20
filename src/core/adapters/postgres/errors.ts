import type { PostgresConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';

/** Starting up, shutting down, out of connections; and errors of the driver and the system for a broken connection. */
const UNREACHABLE =
  /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT|EACCES)$/;
const BROKEN =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|not queryable/;
const REFUSED = new Set(['28P01', '28000']);
const NO_DATABASE = '3D000';
const NO_TABLE = '42P01';

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
  const at = `PostgreSQL at ${host}:${port}`;
  if (REFUSED.has(code) || /no password supplied|SASL/.test(message)) {
    return unreachable(
      `${at} rejected the login of user ${user}`,
      'Check POSTGRES_USER and POSTGRES_PASSWORD.',
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

function unreachable(message: string, hint: string, cause: unknown): BifractError {
  return new BifractError('POSTGRES_UNREACHABLE', message, { hint, cause });
}

/** If several addresses were tried, the error contains one error for each and has no message itself. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
