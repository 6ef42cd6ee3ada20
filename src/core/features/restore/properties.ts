import type { DatabaseProperties } from '../../ports/database.ts';
import type { RefusedProperty, ServerInfo } from '../../ports/database-server.ts';
import type { RestorePlan } from './contract.ts';
import { quoteName } from './statements.ts';

/** Properties of the database as saved in the backup and as they are now, if known. */
export interface KnownProperties {
  saved: DatabaseProperties | undefined;
  /** Those of the installation's database. */
  now: DatabaseProperties | undefined;
}

/**
 * The properties that a restored database gets: those saved in the backup, else (older backups) those of the
 * installation's database. What is left out by request, and an owner that cannot be assigned, is as in the installation's
 * database, else the server's default. `refused` has the owner that a superuser would have to set.
 */
export function restoredProperties(
  { saved, now }: KnownProperties,
  { database, no_owner, no_privileges, no_tablespaces }: Omitted,
  server: Pick<ServerInfo, 'roles' | 'user'>,
): { properties: DatabaseProperties | undefined; refused: RefusedProperty[] } {
  const wanted = saved ?? now;
  if (!wanted) return { properties: undefined, refused: [] };
  const candidates = [no_owner ? undefined : wanted.owner, now?.owner];
  const owner = candidates.find((role) => typeof role === 'string' && server.roles.includes(role)) ?? null;
  const privileges = (no_privileges ? now : wanted)?.privileges ?? null;
  const renamed = new Map(
    [wanted.owner, no_privileges ? now?.owner : undefined].map((old) => [old, owner ?? server.user]),
  );
  const lost = !no_owner && wanted.owner !== null && wanted.owner !== owner ? wanted.owner : undefined;
  return {
    properties: {
      ...wanted,
      owner,
      tablespace: no_tablespaces ? 'pg_default' : wanted.tablespace,
      // The owner's own privileges go to its owner here.
      privileges: privileges?.map((one) => ({ ...one, role: renamed.get(one.role) ?? one.role })) ?? null,
    },
    refused:
      lost === undefined
        ? []
        : [
            {
              statement: `ALTER DATABASE ${quoteName(database)} OWNER TO ${quoteName(lost)}`,
              reason: `role ${quoteName(lost)} does not exist, or ${server.user} is not a member of it`,
            },
          ],
  };
}

type Omitted = Pick<RestorePlan, 'database' | 'no_owner' | 'no_privileges' | 'no_tablespaces'>;

/** Encoding and locale, which cannot be changed later, for display. */
export function localeText({
  encoding,
  locale_provider,
  collate,
  ctype,
  locale,
}: DatabaseProperties): string {
  const libc = collate === ctype ? collate : `${collate}/${ctype}`;
  return `${encoding}, ${locale === null ? libc : `${locale} (${locale_provider})`}`;
}

/** `wanted` with encoding and locale of `now`. */
export function withLocaleOf(wanted: DatabaseProperties, now: DatabaseProperties): DatabaseProperties {
  const { encoding, locale_provider, collate, ctype, locale, icu_rules } = now;
  return { ...wanted, encoding, locale_provider, collate, ctype, locale, icu_rules };
}

/** What a live restore changes of the database's own properties, by name. */
export function changedProperties({ saved, now }: KnownProperties): string[] {
  if (!saved || !now) return [];
  const parts = {
    settings: 'settings',
    privileges: 'privileges',
    owner: 'owner',
    connection_limit: 'connection limit',
    comment: 'comment',
    tablespace: 'tablespace',
  } as const;
  const names = Object.keys(parts) as (keyof typeof parts)[];
  return names
    .filter((name) => JSON.stringify(saved[name]) !== JSON.stringify(now[name]))
    .map((name) => parts[name]);
}
