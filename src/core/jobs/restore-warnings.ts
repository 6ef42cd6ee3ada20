import type { RestoreTable } from '../restore.ts';
import type { Findings } from './restore-plan.ts';

const NAMED = 5;

/** What a person should know before saying yes. */
export function findWarnings(found: Findings): string[] {
  return [...ofFile(found), ...ofVersions(found), ...ofOwners(found), ...ofLosses(found)];
}

function ofFile({ manifest, summary }: Findings): string[] {
  const warnings: string[] = [];
  if (!manifest.bifract_console) {
    warnings.push(
      'The file was written by Bifract itself and counts no rows: nothing can be compared after the restore.',
    );
  }
  if (!summary.sealed)
    warnings.push(
      'The file has no sealed ends: that nothing was cut off is known only by pg_restore reading it.',
    );
  return warnings;
}

function ofVersions({ manifest, contents, server, database, query }: Findings): string[] {
  const own = manifest.bifract_console;
  const version = own?.server_version ?? contents.server_version;
  const name = own?.database ?? contents.database;
  const warnings: string[] = [];
  if (version && major(version) > major(server.version)) {
    warnings.push(
      `The backup comes from PostgreSQL ${version}, this server is older (${server.version}): it may not take all of it.`,
    );
  }
  if (query.target.kind === 'live' && name && name !== database)
    warnings.push(`The backup is of a database named ${name}, not ${database}.`);
  return warnings;
}

function ofOwners({ missing_roles, server }: Findings): string[] {
  if (missing_roles.length === 0) return [];
  return [
    `The backup names ${some(missing_roles)} as owner, which this server does not have, or ${server.user} is no member of: everything will belong to ${server.user}, and granted privileges are left out.`,
  ];
}

function ofLosses({ tables, query, replaces, space, manifest }: Findings): string[] {
  if (space.free_bytes !== null && space.free_bytes < space.needed_bytes && !manifest.bifract_console)
    return ['The disk of the server may be too small for a second copy of the database.'];
  if (query.target.kind !== 'live' || !replaces) return [];
  const warnings: string[] = [];
  const gone = tables.filter(({ where }) => where === 'database').map(nameOf);
  if (gone.length > 0) warnings.push(`Not in the backup, and so gone afterwards: ${some(gone)}.`);
  const archives = tables.find(({ schema, name }) => schema === 'public' && name === 'archives');
  if ((archives?.rows_now ?? 0) > (archives?.rows_backup ?? 0)) {
    warnings.push('Archives made since the backup lose their records: `bifract adopt` gives them back.');
  }
  return warnings;
}

function nameOf({ schema, name }: RestoreTable): string {
  return `${schema}.${name}`;
}

function some(names: string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return names.slice(0, NAMED).join(', ') + more;
}

function major(version: string): number {
  return Number.parseInt(version, 10);
}
