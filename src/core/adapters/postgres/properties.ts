import type { Client } from 'pg';
import { BifractError } from '../../contract/errors.ts';
import type { DatabaseProperties, ExtensionVersion } from '../../ports/database.ts';
import type { PropertyPart, RefusedProperty } from '../../ports/database-server.ts';
import { sqlState } from './errors.ts';

/** The columns of pg_database differ between versions. In JSON a missing one is undefined. */
const PROPERTIES = `SELECT to_jsonb(d) AS row, pg_encoding_to_char(d.encoding) AS encoding, t.spcname AS tablespace,
    pg_get_userbyid(d.datdba) AS owner, shobj_description(d.oid, 'pg_database') AS comment
  FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`;
const SETTINGS = `SELECT r.rolname AS role, unnest(s.setconfig) AS setting
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
  WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = $1) ORDER BY 1 NULLS FIRST, 2`;
const PRIVILEGES = `SELECT r.rolname AS role, a.privilege_type AS privilege, a.is_grantable AS grantable
  FROM pg_database d CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE d.datname = $1 ORDER BY a.grantee, a.privilege_type`;
const EXTENSIONS = 'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1';
const DEFAULT_TABLESPACE = 'pg_default';
const PROVIDERS = { i: 'icu', b: 'builtin' } as Record<string, DatabaseProperties['locale_provider']>;
/** Privileges on a database. They are the only words of a manifest that become part of a statement without quotes. */
const DATABASE_PRIVILEGES = /^(CREATE|CONNECT|TEMPORARY|TEMP)$/;
/** Settings whose value is a list of names, each quoted separately. */
const LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'temp_tablespaces',
]);
/** Extensions store what they like in settings; warnings are logged. */
const SECRET = /pass|secret|token|key|credential/i;
/** No privilege, no such role or setting, a value or a library that the server does not have. */
const REFUSED = new Set(['42501', '42704', '22023', '58P01', '55P02', '0LP01', '42602']);
/** The same for a new database: encodings, locales and their providers, too. */
const NOT_CREATED = new Set(['42501', '42704', '22023', '42809', '0A000', '42601']);

type Raw = Pick<DatabaseProperties, 'encoding' | 'tablespace' | 'owner' | 'comment'> & {
  row: Record<string, string | number | null | undefined>;
};

/** The properties of a database; undefined if there is none. */
export async function propertiesOf(
  client: Client,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const found = (await client.query<Raw>(PROPERTIES, [database])).rows[0];
  if (!found) return undefined;
  const { row, encoding, tablespace, owner, comment } = found;
  const provider = PROVIDERS[String(row.datlocprovider)] ?? 'libc';
  const settings = (await client.query<{ role: string | null; setting: string }>(SETTINGS, [database])).rows;
  const privileges = async () =>
    (
      await client.query<{ role: string | null; privilege: string; grantable: boolean }>(PRIVILEGES, [
        database,
      ])
    ).rows;
  return {
    encoding,
    locale_provider: provider,
    collate: String(row.datcollate),
    ctype: String(row.datctype),
    locale: provider === 'libc' ? null : text(row.datlocale ?? row.daticulocale),
    icu_rules: text(row.daticurules),
    tablespace,
    owner,
    connection_limit: Number(row.datconnlimit),
    comment,
    settings: settings.map(({ role, setting }) => {
      const split = setting.indexOf('=');
      return { role, name: setting.slice(0, split), value: setting.slice(split + 1) };
    }),
    // Without explicit privileges the defaults apply, as for any new database.
    privileges: row.datacl === null || row.datacl === undefined ? null : await privileges(),
  };
}

/** The extensions of the database that the client is connected to. */
export async function extensionsOf(client: Client): Promise<ExtensionVersion[]> {
  return (await client.query<ExtensionVersion>(EXTENSIONS)).rows;
}

function text(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

/**
 * Creates an empty database with encoding, locale, owner and tablespace of `properties`, or the server's defaults.
 * `UNSUPPORTED` if the server does not have one of them.
 */
export async function createDatabase(
  client: Client,
  database: string,
  properties: DatabaseProperties | undefined,
): Promise<void> {
  try {
    await client.query(createStatement(client, database, properties));
  } catch (error) {
    if (!properties || !NOT_CREATED.has(sqlState(error))) throw error;
    const { encoding, locale_provider, locale, collate } = properties;
    const like = `encoding ${encoding}, locale ${locale ?? collate} (${locale_provider})`;
    const message = error instanceof Error ? error.message : String(error);
    throw new BifractError('UNSUPPORTED', `Cannot create a database with ${like}: ${message}`, {
      hint: 'Install that locale on the PostgreSQL server, or create the database yourself with one that it has: a restore over an existing database can keep the locale of that one.',
      cause: error,
    });
  }
}

function createStatement(client: Client, database: string, properties?: DatabaseProperties): string {
  const create = `CREATE DATABASE ${client.escapeIdentifier(database)} TEMPLATE template0`;
  if (!properties) return `${create} ENCODING 'UTF8'`;
  const { encoding, locale_provider, collate, ctype, locale, icu_rules, tablespace, owner } = properties;
  const literal = (value: string) => client.escapeLiteral(value);
  const provider = locale_provider === 'libc' || locale === null ? undefined : locale_provider;
  return [
    create,
    ...(owner === null ? [] : [`OWNER ${client.escapeIdentifier(owner)}`]),
    `ENCODING ${literal(encoding)} LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}`,
    ...(provider === 'icu' ? [`LOCALE_PROVIDER icu ICU_LOCALE ${literal(locale as string)}`] : []),
    ...(provider === 'builtin'
      ? [`LOCALE_PROVIDER builtin BUILTIN_LOCALE ${literal(locale as string)}`]
      : []),
    ...(icu_rules ? [`ICU_RULES ${literal(icu_rules)}`] : []),
    // Naming a tablespace requires a privilege, even for the default one.
    ...(tablespace === DEFAULT_TABLESPACE ? [] : [`TABLESPACE ${client.escapeIdentifier(tablespace)}`]),
  ].join(' ');
}

/**
 * Applies settings, or the other properties that an existing database can be given. Returns what the server refused, with
 * the statement as it would be for the database `final_name`.
 */
export async function applyProperties(
  client: Client,
  database: string,
  properties: DatabaseProperties,
  { part, final_name }: { part: PropertyPart; final_name: string },
): Promise<RefusedProperty[]> {
  const changes = part === 'settings' ? settingChanges(client, properties) : otherChanges(client, properties);
  const refused: RefusedProperty[] = [];
  for (const { sql, masked } of changes) {
    try {
      await client.query(sql(client.escapeIdentifier(database)));
    } catch (error) {
      if (!REFUSED.has(sqlState(error))) throw error;
      const reason = masked ? 'the server refused it' : (error as Error).message;
      refused.push({ statement: (masked ?? sql)(client.escapeIdentifier(final_name)), reason });
    }
  }
  return refused;
}

/** A statement for a database of a quoted name; `masked` if its own text must not be shown. */
interface Change {
  sql(name: string): string;
  masked?(name: string): string;
}

function settingChanges(client: Client, { settings }: DatabaseProperties): Change[] {
  return settings.map(({ role, name: setting, value }) => {
    const values = LISTS.has(setting) ? namesIn(value) : [value];
    const quoted = values.map((one) => client.escapeLiteral(one)).join(', ') || "''";
    const forRole = role === null ? '' : `ROLE ${client.escapeIdentifier(role)} IN `;
    const parameter = setting.split('.').map(client.escapeIdentifier).join('.');
    const set = (to: string) => (name: string) =>
      `ALTER ${forRole}DATABASE ${name} SET ${parameter} TO ${to}`;
    return { sql: set(quoted), ...(SECRET.test(setting) ? { masked: set("'…'") } : {}) };
  });
}

function otherChanges(client: Client, { comment, connection_limit, ...rest }: DatabaseProperties): Change[] {
  const text = comment === null ? 'NULL' : client.escapeLiteral(comment);
  return [
    { sql: (name) => `COMMENT ON DATABASE ${name} IS ${text}` },
    ...(connection_limit < 0
      ? []
      : [{ sql: (name: string) => `ALTER DATABASE ${name} CONNECTION LIMIT ${Number(connection_limit)}` }]),
    ...privilegeChanges(client, rest),
  ];
}

function privilegeChanges(
  client: Client,
  { privileges, owner }: Pick<DatabaseProperties, 'privileges' | 'owner'>,
): Change[] {
  if (privileges === null) return [];
  const all = ['PUBLIC', ...(owner === null ? [] : [client.escapeIdentifier(owner)])].join(', ');
  return [
    { sql: (name) => `REVOKE ALL ON DATABASE ${name} FROM ${all}` },
    ...privileges
      .filter(({ privilege }) => DATABASE_PRIVILEGES.test(privilege))
      .map(({ role, privilege, grantable }) => {
        const grantee = role === null ? 'PUBLIC' : client.escapeIdentifier(role);
        const option = grantable && role !== null ? ' WITH GRANT OPTION' : '';
        return { sql: (name: string) => `GRANT ${privilege} ON DATABASE ${name} TO ${grantee}${option}` };
      }),
  ];
}

/** Parses a list of names as stored by PostgreSQL: `"$user", public`. */
export function namesIn(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
