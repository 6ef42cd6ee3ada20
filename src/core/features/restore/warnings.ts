import type { RestoreTable } from './contract.ts';
import type { Findings } from './plan.ts';

const NAMED = 5;

/** Warnings to confirm before the restore. */
export function findWarnings(found: Findings): string[] {
  return [...ofFile(found), ...ofVersions(found), ...ofOwners(found), ...ofLosses(found)];
}

function ofFile({ manifest, summary }: Findings): string[] {
  const warnings: string[] = [];
  if (!manifest.bifract_console) {
    warnings.push(
      'The backup was made by Bifract itself and has no row counts: the restore cannot be compared.',
    );
  }
  if (!summary.sealed)
    warnings.push('The file has no header and trailer: only pg_restore can tell whether it was cut off.');
  return warnings;
}

function ofVersions({ manifest, contents, server, database, query }: Findings): string[] {
  const own = manifest.bifract_console;
  const version = own?.server_version ?? contents.server_version;
  const name = own?.database ?? contents.database;
  const warnings: string[] = [];
  if (version && major(version) > major(server.version)) {
    warnings.push(
      `The backup is from PostgreSQL ${version}, this server is older (${server.version}): the restore may fail.`,
    );
  }
  if (query.target.kind === 'live' && name && name !== database)
    warnings.push(`The backup is of database ${name}, not ${database}.`);
  return warnings;
}

function ofOwners({ missing_roles, server }: Findings): string[] {
  if (missing_roles.length === 0) return [];
  return [
    `Owner ${some(missing_roles)} does not exist on this server, or ${server.user} is not a member: ${server.user} will own everything, and privileges are not restored.`,
  ];
}

function ofLosses({ tables, query, replaces, space, manifest }: Findings): string[] {
  if (space.free_bytes !== null && space.free_bytes < space.needed_bytes && !manifest.bifract_console)
    return ['The server may not have enough disk space for a second copy of the database.'];
  if (query.target.kind !== 'live' || !replaces) return [];
  const warnings: string[] = [];
  const dropped = tables.filter(({ where }) => where === 'database').map(nameOf);
  if (dropped.length > 0) warnings.push(`Not in the backup, will be dropped: ${some(dropped)}.`);
  const archives = tables.find(({ schema, name }) => schema === 'public' && name === 'archives');
  if ((archives?.rows_now ?? 0) > (archives?.rows_backup ?? 0)) {
    warnings.push('Archives made since the backup will lose their records: run `bifract adopt` afterwards.');
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
