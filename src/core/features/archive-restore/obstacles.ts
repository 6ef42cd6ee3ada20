import type { ErrorReport } from '../../contract/errors.ts';
import type { ArchiveRecord, Catalog, Fractal } from '../../ports/catalog.ts';
import type { LogRestore } from '../../ports/log-restore.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { ArchiveRestorePlan } from './contract.ts';
import { type InspectedFile, TYPICAL_COMPRESSION } from './inspect-source.ts';

export interface RestoreObstacleDeps {
  catalog: Catalog;
  rows: LogRestore;
  /** Whether the fractal has an ingest token. */
  hasToken(fractal_id: string): Promise<boolean>;
  /** Archives locked by interrupted restores: the next job releases them. */
  stale_locks: ReadonlySet<string>;
}

/** What planning a restore found out. */
export interface RestoreFacts {
  files: readonly InspectedFile[];
  /** Archives of the group that cannot be restored. */
  incomplete: number;
  into: ArchiveRestorePlan['into'];
  /** The target fractal, if it exists. */
  fractal: Fractal | undefined;
  window: { from: Timestamp | null; to: Timestamp | null };
  via: ArchiveRestorePlan['via'];
  removes: ArchiveRestorePlan['removes'];
  content_bytes: number;
  /** Rows that the files may have in the window, and rows that the fractal has there. */
  rows: number;
  rows_there: number;
}

/** What prevents a planned restore. */
export async function restoreObstacles(
  { catalog, rows, hasToken, stale_locks }: RestoreObstacleDeps,
  facts: RestoreFacts,
  options: CallOptions,
): Promise<ErrorReport[]> {
  const byIngest = facts.via === 'ingest';
  return [
    ...facts.files.flatMap((file) => recordObstacles(file, stale_locks)),
    ...gapObstacles(facts),
    ...targetObstacles(facts),
    ...concurrencyObstacles(facts.files, await catalog.archives({}, options), stale_locks),
    ...(byIngest ? [] : spaceObstacles(facts, await rows.freeBytes(options))),
    ...replaceObstacles(facts),
    ...(byIngest && !(await hasToken(facts.into.id)) ? [missingToken(facts)] : []),
  ];
}

function recordObstacles({ record, file }: InspectedFile, stale_locks: ReadonlySet<string>): ErrorReport[] {
  if (!record) return [];
  const { id, status, size_bytes } = record;
  if (status === 'in_progress' || (status === 'restoring' && !stale_locks.has(id))) {
    const message = `According to its record, archive ${id} is being ${status === 'restoring' ? 'restored' : 'written'}`;
    return [{ code: 'BUSY', message, hint: 'Wait until that has finished, then try again.' }];
  }
  if (status === 'failed') {
    const hint = 'If the file is intact, `bifract adopt` repairs its record.';
    return [{ code: 'RECORD_DIFFERS', message: `The record of archive ${id} has the status "failed"`, hint }];
  }
  if (size_bytes !== file.size_bytes) {
    const message = `The file of archive ${id} has ${file.size_bytes} bytes, but its record says ${size_bytes}`;
    return [{ code: 'RECORD_DIFFERS', message, hint: 'Run `bifract verify` for details.' }];
  }
  return [];
}

/** Between the first and last archive of a group, some time may be covered only by the missing ones. */
function gapObstacles({ removes, incomplete, window: { from, to } }: RestoreFacts): ErrorReport[] {
  if (!removes || incomplete === 0 || (from !== null && to !== null)) return [];
  const message = `${incomplete} archives of the group are incomplete: rows in their time range would be deleted and not restored`;
  return [
    { code: 'USAGE', message, hint: 'Use --from and --to to select a complete range, or omit --replace.' },
  ];
}

function targetObstacles({ fractal, into }: RestoreFacts): ErrorReport[] {
  if (fractal) return [];
  const hint = 'Create it in Bifract, or choose another one with --into. See `bifract list fractals`.';
  return [{ code: 'NOT_FOUND', message: `No such fractal: ${into.name}`, hint }];
}

/** Other active archives of these fractals: the server allows one at a time. */
function concurrencyObstacles(
  files: readonly InspectedFile[],
  archives: readonly ArchiveRecord[],
  stale_locks: ReadonlySet<string>,
): ErrorReport[] {
  const fractal_ids = new Set(
    files.flatMap(({ fractal, record }) => (fractal && record ? [fractal.id] : [])),
  );
  const planned = new Set(files.map(({ record }) => record?.id));
  return archives
    .filter(({ id, status, fractal_id }) => {
      const active = status === 'in_progress' || status === 'restoring';
      return active && fractal_ids.has(fractal_id) && !planned.has(id) && !stale_locks.has(id);
    })
    .map(({ status, fractal_name }) => {
      const activity = status === 'restoring' ? 'being restored' : 'being archived';
      const message = `Fractal ${fractal_name} is ${activity}`;
      return { code: 'BUSY', message, hint: 'Wait until that has finished, then try again.' };
    });
}

function spaceObstacles({ content_bytes }: RestoreFacts, free: number | null): ErrorReport[] {
  if (free === null || content_bytes / TYPICAL_COMPRESSION <= free) return [];
  return [
    {
      code: 'STORAGE_FULL',
      message: `ClickHouse has ${free} bytes free, not enough for these rows`,
      hint: 'Free some space in ClickHouse, or restore a smaller range with --from and --to.',
    },
  ];
}

function replaceObstacles({ removes, via, rows, rows_there }: RestoreFacts): ErrorReport[] {
  const obstacles: ErrorReport[] = [];
  if (removes && rows === 0 && rows_there > 0) {
    obstacles.push({
      code: 'USAGE',
      message: `The archive has no rows in that range: ${rows_there} rows would be deleted and none restored`,
      hint: 'Use --from and --to to select a range that it has rows in, or omit --replace.',
    });
  }
  if (removes && (removes.from === null || removes.to === null)) {
    obstacles.push({
      code: 'USAGE',
      message: 'Cannot tell which rows to replace: the time range of the archive is unknown',
      hint: 'Set --from and --to: rows in that range are replaced.',
    });
  }
  if (removes && via === 'ingest') {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: 'Cannot replace rows when restoring by ingest',
      hint: 'Ingest assigns new times and ids. Omit --replace, or restore directly.',
    });
  }
  return obstacles;
}

function missingToken({ into }: RestoreFacts): ErrorReport {
  const message = `Fractal ${into.name} has no active ingest token`;
  return { code: 'NOT_FOUND', message, hint: 'Create one in Bifract, or restore directly.' };
}
