import type { BackupManifest, DumpNeeds } from '../../format/index.ts';
import type { ServerInfo } from '../../ports/database-server.ts';
import type { RestoreObstacle, RestorePlan } from './contract.ts';
import { createRoles, quoteName } from './statements.ts';

type Omitted = Pick<RestorePlan, 'no_owner' | 'no_privileges' | 'no_tablespaces'>;

/** What a backup requires, and which of its shared libraries this server does not have. */
export interface Requirements {
  needs: DumpNeeds;
  missing_libraries: string[];
  database_tablespace: string;
}

/** Built in: every server has it, and no privilege is needed for the one of the database. */
const DEFAULT_TABLESPACE = 'pg_default';

/** What the dump needs and this server lacks: pg_restore would fail there, so nothing is started. */
export function requirementObstacles(
  { needs, missing_libraries, database_tablespace }: Requirements,
  server: ServerInfo,
  omitted: Omitted,
): RestoreObstacle[] {
  return [
    ...policyObstacles(needs, server),
    ...(omitted.no_privileges ? [] : privilegeObstacles(needs, server)),
    ...(omitted.no_tablespaces
      ? []
      : tablespaceObstacles([...needs.tablespaces, database_tablespace], server)),
    ...extensionObstacles(needs, server),
    ...libraryObstacles(needs, missing_libraries, server),
  ];
}

function policyObstacles({ policy_roles }: DumpNeeds, { all_roles }: ServerInfo): RestoreObstacle[] {
  const missing = absent(policy_roles, all_roles);
  if (missing.length === 0) return [];
  return [
    obstacle(
      `${roles(missing)} on this server, and policies or user mappings in the backup name ${them(missing)}`,
      `They cannot be left out. Create ${them(missing)} first: ${createRoles(missing)}`,
    ),
  ];
}

function privilegeObstacles({ grantees, grantors }: DumpNeeds, server: ServerInfo): RestoreObstacle[] {
  const missing = absent([...new Set([...grantees, ...grantors])].sort(), server.all_roles);
  const found: RestoreObstacle[] = [];
  if (missing.length > 0)
    found.push(
      obstacle(
        `${roles(missing)} on this server, and privileges in the backup name ${them(missing)}`,
        `Create ${them(missing)} first: ${createRoles(missing)} Or restore without privileges (--no-privileges).`,
      ),
    );
  const foreign = absent(absent(grantors, missing), server.roles);
  if (foreign.length > 0)
    found.push(
      obstacle(
        `${server.user} may not set privileges on behalf of ${list(foreign)}`,
        `Make ${server.user} a member: ${foreign.map((role) => `GRANT ${quoteName(role)} TO ${quoteName(server.user)};`).join(' ')} Or restore without privileges (--no-privileges).`,
      ),
    );
  return found;
}

function tablespaceObstacles(needed: string[], { tablespaces, user }: ServerInfo): RestoreObstacle[] {
  const missing = absent([...new Set(needed)], [...tablespaces, DEFAULT_TABLESPACE]);
  if (missing.length === 0) return [];
  const create = missing.map((name) => `CREATE TABLESPACE ${quoteName(name)} LOCATION '…';`).join(' ');
  return [
    obstacle(
      `${plural('Tablespace', missing)} ${list(missing)} ${missing.length === 1 ? 'does' : 'do'} not exist on this server, or ${user} may not create objects there`,
      `Create ${them(missing)} (${create}), grant CREATE on ${them(missing)}, or restore everything to the default tablespace (--no-tablespaces).`,
    ),
  ];
}

function extensionObstacles(
  { extensions }: DumpNeeds,
  { extensions: available, superuser, user }: ServerInfo,
): RestoreObstacle[] {
  const names = available.map(({ name }) => name);
  const missing = absent(extensions, names);
  const denied = superuser
    ? []
    : available
        .filter(({ name, superuser_only }) => superuser_only && extensions.includes(name))
        .map(({ name }) => name);
  return [
    ...(missing.length === 0
      ? []
      : [
          obstacle(
            `${plural('Extension', missing)} ${list(missing)} ${missing.length === 1 ? 'is' : 'are'} not installed on the machine of the PostgreSQL server`,
            `Install ${missing.length === 1 ? 'its package' : 'their packages'} there: a backup cannot be restored without its extensions.`,
          ),
        ]),
    ...(denied.length === 0
      ? []
      : [
          obstacle(
            `${plural('Extension', denied)} ${list(denied)} can only be created by a superuser, which ${user} is not`,
            'Restore as a superuser (POSTGRES_USER and POSTGRES_PASSWORD in the environment).',
          ),
        ]),
  ];
}

function libraryObstacles(
  { libraries }: DumpNeeds,
  missing: string[],
  { superuser, user }: ServerInfo,
): RestoreObstacle[] {
  if (libraries.length > 0 && !superuser)
    return [
      obstacle(
        `Functions in C (${libraries.join(', ')}) can only be created by a superuser, which ${user} is not`,
        'Restore as a superuser (POSTGRES_USER and POSTGRES_PASSWORD in the environment).',
      ),
    ];
  if (missing.length === 0) return [];
  return [
    obstacle(
      `Functions in the backup need ${missing.join(', ')}, which the PostgreSQL server does not have`,
      'Install the package that contains it on the machine of the PostgreSQL server.',
    ),
  ];
}

/** Extensions that this server creates in another version than the backup had, one text each. */
export function otherVersions({ bifract_console }: BackupManifest, { extensions }: ServerInfo): string[] {
  const here = new Map(extensions.map(({ name, version }) => [name, version]));
  return (bifract_console?.extensions ?? []).flatMap(({ name, version }) => {
    const now = here.get(name);
    return now === undefined || now === version ? [] : [`${name} (${version}, here ${now})`];
  });
}

function obstacle(message: string, hint: string): RestoreObstacle {
  return { code: 'UNSUPPORTED', message, hint, consent: null };
}

function absent(needed: string[], there: string[]): string[] {
  const known = new Set(there);
  return needed.filter((name) => !known.has(name));
}

function roles(names: string[]): string {
  return `${plural('Role', names)} ${list(names)} ${names.length === 1 ? 'does' : 'do'} not exist`;
}

function plural(noun: string, names: string[]): string {
  return names.length === 1 ? noun : `${noun}s`;
}

function them(names: string[]): string {
  return names.length === 1 ? 'it' : 'them';
}

function list(names: string[]): string {
  return names.map(quoteName).join(', ');
}
