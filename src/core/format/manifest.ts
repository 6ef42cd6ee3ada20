import type { TableCount } from '../ports/database.ts';
import type { Timestamp } from '../ports/types.ts';

/** Stands between a backup's manifest and its dump. */
export const SEPARATOR = Buffer.from('\n---BIFRACT_BACKUP_SEPARATOR---\n');

/** A key stored inside what it locks helps nobody but a thief; nor do those before it, whose names begin with this. */
const KEY_VARIABLE = 'BIFRACT_BACKUP_ENCRYPTION_KEY';

/** What this program adds to the server's manifest, under one key of its own. */
export interface ConsoleManifest {
  /** Format of this object. */
  format: 1;
  /** Name and version of the writing program. */
  tool: string;
  /** Version of the PostgreSQL server, and of the pg_dump that read it. */
  server_version: string;
  pg_dump_version: string;
  database: string;
  /** Every table with its exact count, as of the dump's own snapshot. */
  tables: TableCount[];
  /** `pg_database_size` at that time, bytes. */
  database_bytes?: number;
  /**
   * Uncompressed size of the dump, where it was known before the dump was written; else it is what the end
   * frame's `bytes` leaves after manifest and separator.
   */
  dump_bytes?: number;
}

/** The JSON at the start of a backup. */
export interface BackupManifest {
  /** Version of the writing program. */
  version: string;
  timestamp: Timestamp;
  type: string;
  /** The variables of the installation's `.env`. */
  env_vars: Record<string, string>;
  bifract_console?: ConsoleManifest;
}

/** A manifest from its parts; the encryption key is left out of the variables. */
export function backupManifest(parts: Omit<BackupManifest, 'type'>): BackupManifest {
  const { version, timestamp, env_vars, bifract_console } = parts;
  const kept = Object.entries(env_vars).filter(([name]) => !name.startsWith(KEY_VARIABLE));
  const manifest = { version, timestamp, type: 'postgres', env_vars: Object.fromEntries(kept) };
  return bifract_console === undefined ? manifest : { ...manifest, bifract_console };
}
