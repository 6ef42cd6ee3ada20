import type { Client } from 'pg';

/** The columns of pg_database differ between versions. In JSON a missing one is undefined. */
const PROPERTIES = `SELECT to_jsonb(d) AS row, pg_encoding_to_char(d.encoding) AS encoding, t.spcname AS tablespace,
    pg_get_userbyid(d.datdba) AS owner, shobj_description(d.oid, 'pg_database') AS comment
  FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`;
const SETTINGS = `SELECT r.rolname AS role, unnest(s.setconfig) AS setting
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
  WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = $1)`;
const GRANTS = `SELECT r.rolname AS role, a.privilege_type AS privilege, a.is_grantable AS grantable
  FROM pg_database d CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE d.datname = $1 ORDER BY a.grantee, a.privilege_type`;
const DEFAULT_TABLESPACE = 'pg_default';
/** Settings whose value is a list of names, each quoted separately. */
const LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'temp_tablespaces',
]);

interface Properties {
  row: Record<string, string | number | null | undefined>;
  encoding: string;
  tablespace: string;
  owner: string;
  comment: string | null;
}

/** The statement that creates an empty database with the properties of `like`, or the server's defaults. */
export async function createStatement(
  client: Client,
  database: string,
  like: string | undefined,
): Promise<string> {
  const create = `CREATE DATABASE ${client.escapeIdentifier(database)} TEMPLATE template0`;
  const properties = like === undefined ? undefined : await propertiesOf(client, like);
  if (!properties) return `${create} ENCODING 'UTF8'`;
  const { row, encoding, tablespace, owner } = properties;
  const text = (value: unknown) => client.escapeLiteral(String(value));
  const locale = row.datlocale ?? row.daticulocale;
  const provider = { i: 'icu', b: 'builtin' }[String(row.datlocprovider)];
  return [
    create,
    `OWNER ${client.escapeIdentifier(owner)}`,
    `ENCODING ${text(encoding)} LC_COLLATE ${text(row.datcollate)} LC_CTYPE ${text(row.datctype)}`,
    ...(provider ? [`LOCALE_PROVIDER ${provider} ${provider}_locale ${text(locale)}`] : []),
    ...(row.daticurules ? [`ICU_RULES ${text(row.daticurules)}`] : []),
    // Naming a tablespace requires a privilege, even for the default one.
    ...(tablespace === DEFAULT_TABLESPACE ? [] : [`TABLESPACE ${client.escapeIdentifier(tablespace)}`]),
  ].join(' ');
}

/** Statements that copy settings, privileges, comment and connection limit. */
export async function propertyStatements(client: Client, from: string, to: string): Promise<string[]> {
  const name = client.escapeIdentifier(to);
  const properties = await propertiesOf(client, from);
  if (!properties) return [];
  const comment = properties.comment === null ? 'NULL' : client.escapeLiteral(properties.comment);
  return [
    `COMMENT ON DATABASE ${name} IS ${comment}`,
    `ALTER DATABASE ${name} CONNECTION LIMIT ${Number(properties.row.datconnlimit)}`,
    ...(await settings(client, from, name)),
    ...(await grants(client, from, name, properties)),
  ];
}

async function propertiesOf(client: Client, database: string): Promise<Properties | undefined> {
  return (await client.query<Properties>(PROPERTIES, [database])).rows[0];
}

async function settings(client: Client, from: string, name: string): Promise<string[]> {
  const { rows } = await client.query<{ role: string | null; setting: string }>(SETTINGS, [from]);
  return rows.map(({ role, setting }) => {
    const split = setting.indexOf('=');
    const [key, value] = [setting.slice(0, split), setting.slice(split + 1)];
    const values = LISTS.has(key) ? namesIn(value) : [value];
    const forRole = role === null ? '' : `ROLE ${client.escapeIdentifier(role)} IN `;
    const quoted = values.map((one) => client.escapeLiteral(one)).join(', ');
    const parameter = key.split('.').map(client.escapeIdentifier).join('.');
    return `ALTER ${forRole}DATABASE ${name} SET ${parameter} TO ${quoted || "''"}`;
  });
}

/** Parses a list of names as stored by PostgreSQL: `"$user", public`. */
export function namesIn(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

async function grants(
  client: Client,
  from: string,
  name: string,
  { row, owner }: Properties,
): Promise<string[]> {
  // Without explicit privileges the defaults apply, as for any new database.
  if (row.datacl === null || row.datacl === undefined) return [];
  const { rows } = await client.query<{ role: string | null; privilege: string; grantable: boolean }>(
    GRANTS,
    [from],
  );
  return [
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${client.escapeIdentifier(owner)}`,
    ...rows.map(({ role, privilege, grantable }) => {
      const grantee = role === null ? 'PUBLIC' : client.escapeIdentifier(role);
      return `GRANT ${privilege} ON DATABASE ${name} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`;
    }),
  ];
}
