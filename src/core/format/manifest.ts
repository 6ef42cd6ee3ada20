import type { TableCount } from '../ports/database.ts';
import type { Timestamp } from '../ports/types.ts';

/** Separates a backup's manifest from its dump. */
export const SEPARATOR = Buffer.from('\n---BIFRACT_BACKUP_SEPARATOR---\n');

/** Prefix of the variables that hold current and previous keys; a backup must not contain the key that opens it. */
const KEY_PREFIX = 'BIFRACT_BACKUP_ENCRYPTION_KEY';

/** Additions to the server's manifest, under one key. */
export interface ConsoleManifest {
  /** Format of this object. */
  format: 1;
  /** Name and version of the writing program. */
  tool: string;
  /** Version of the PostgreSQL server, and of the pg_dump that read it. */
  server_version: string;
  pg_dump_version: string;
  database: string;
  /** Every table with its exact row count in the dump's snapshot. */
  tables: TableCount[];
  /** `pg_database_size` at that time, bytes. */
  database_bytes?: number;
  /**
   * Uncompressed size of the dump, if known before it was written; else derive it from the end frame's `bytes` less
   * manifest and separator.
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

/** Builds a manifest, without the encryption keys among the variables. */
export function backupManifest(parts: Omit<BackupManifest, 'type'>): BackupManifest {
  const { version, timestamp, env_vars, bifract_console } = parts;
  const kept = Object.entries(env_vars).filter(([name]) => !name.startsWith(KEY_PREFIX));
  const manifest = { version, timestamp, type: 'postgres', env_vars: Object.fromEntries(kept) };
  return bifract_console === undefined ? manifest : { ...manifest, bifract_console };
}
