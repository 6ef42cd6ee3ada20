/**
 * What every session sets, ours and those of pg_dump and pg_restore, because a setting of the server, a database or a role
 * must neither end it nor change what it reads and writes:
 * no timeouts (a caller sets its own), writable transactions, an error instead of rows hidden by row security, and the
 * standard meaning of NULL, of strings, and of objects without a tablespace.
 */
export const SESSION_OPTIONS = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  default_transaction_read_only: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  row_security: 'off',
  default_tablespace: '',
  array_nulls: 'on',
  transform_null_equals: 'off',
  standard_conforming_strings: 'on',
};

/**
 * What pg_dump leaves as the role has it though the text of values depends on it: its rows are compared with those that our
 * own session reads. What else they depend on, pg_dump sets itself, or both sessions have it from the role: `lc_monetary`.
 */
export const TEXT_OPTIONS = { timezone: 'UTC', bytea_output: 'hex' };

/** Added in later versions: an older server rejects a connection that sets them. */
const SINCE: [major: number, name: string, value: string][] = [
  [14, 'idle_session_timeout', '0'],
  [17, 'transaction_timeout', '0'],
];

/**
 * The settings for pg_dump or pg_restore, as in `PGOPTIONS`. Unknown versions get only what all servers know. A restore
 * keeps the time zone of the database: functions and views that it runs may depend on it.
 */
export function toolOptions(name: 'pg_dump' | 'pg_restore', server_major: number): string {
  const later = SINCE.filter(([major]) => server_major >= major).map(([, option, value]) => [option, value]);
  const text = name === 'pg_dump' ? TEXT_OPTIONS : {};
  return optionsText({ ...SESSION_OPTIONS, ...text, ...Object.fromEntries(later) });
}

/** Settings in the form of `PGOPTIONS` and of the startup message. */
export function optionsText(options: Record<string, string>): string {
  return Object.entries(options)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\s\\]/g, '\\$&')}`)
    .join(' ');
}
