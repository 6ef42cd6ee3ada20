import { BifractError } from '../errors.ts';

/** Starting up, shutting down, out of connections; and what the driver and the system say of a broken line. */
const UNREACHABLE =
  /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT|EACCES)$/;
const BROKEN =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|not queryable/;
const REFUSED = new Set(['28P01', '28000']);
const NO_DATABASE = '3D000';
const NO_TABLE = '42P01';

/** Where PostgreSQL is and who asks. */
export interface PostgresConnection {
  /** A name, an address, or the folder of a socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
}

/** PostgreSQL's five characters, or the system's name of an error. */
export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** An error of the driver as ours. */
export function postgresError(error: unknown, connection: PostgresConnection): BifractError {
  if (error instanceof BifractError) return error;
  const { host, port, user, database } = connection;
  const code = sqlState(error);
  const message = messageOf(error);
  const at = `PostgreSQL at ${host}:${port}`;
  if (REFUSED.has(code) || /no password supplied|SASL/.test(message)) {
    return unreachable(
      `${at} does not accept user ${user}`,
      'Check POSTGRES_USER and POSTGRES_PASSWORD.',
      error,
    );
  }
  if (code === NO_DATABASE)
    return unreachable(`${at} has no database ${database}`, 'Check POSTGRES_DB.', error);
  if (UNREACHABLE.test(code) || BROKEN.test(message)) {
    return unreachable(
      `${at} does not answer: ${message}`,
      'Check that it is running, and POSTGRES_HOST and POSTGRES_PORT.',
      error,
    );
  }
  const hint =
    code === NO_TABLE
      ? `Check that ${database} is the database of a Bifract server.`
      : 'The log of PostgreSQL may say more.';
  return new BifractError('QUERY_FAILED', `PostgreSQL: ${message}`, { hint, cause: error });
}

function unreachable(message: string, hint: string, cause: unknown): BifractError {
  return new BifractError('POSTGRES_UNREACHABLE', message, { hint, cause });
}

/** Where several addresses were tried, the system's error holds one for each, and says nothing itself. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
