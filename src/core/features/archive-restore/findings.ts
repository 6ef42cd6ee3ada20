import type { ErrorReport } from '../../contract/errors.ts';
import type { ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { Timestamp } from '../../ports/types.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { ArchiveRestorePlan } from './contract.ts';
import { differenceNotes } from './differences.ts';
import { type InspectedFile, TYPICAL_COMPRESSION } from './inspect-source.ts';

/** What planning a restore found out. */
export interface RestoreFacts {
  files: readonly InspectedFile[];
  /** Archives of the group that cannot be restored. */
  incomplete: number;
  into: ArchiveRestorePlan['into'];
  creates: ArchiveRestorePlan['creates'];
  /** Whether another fractal has the name of the one to create. */
  name_taken: boolean;
  /** The target fractal, if it exists. */
  fractal: Fractal | undefined;
  window: { from: Timestamp | null; to: Timestamp | null };
  via: ArchiveRestorePlan['via'];
  removes: ArchiveRestorePlan['removes'];
  content_bytes: number;
  differences: ArchiveRestorePlan['differences'];
  expires: ArchiveRestorePlan['expires'];
  /** Rows that the files may have in the window, and rows that the fractal has there. */
  rows: number;
  rows_there: number;
  /** All archives of the installation. */
  archives: readonly ArchiveRecord[];
  /** Archives locked by interrupted restores: the next job releases them. */
  stale_locks: ReadonlySet<string>;
  /** Free disk space of ClickHouse, bytes; null if unknown or not needed. */
  free_bytes: number | null;
  /** Whether the fractal has an ingest token. */
  has_token: boolean;
  now: Date;
}

/** What prevents a planned restore. */
export function restoreObstacles(facts: RestoreFacts): ErrorReport[] {
  return [
    ...facts.files.flatMap((file) => recordObstacles(file, facts.stale_locks)),
    ...gapObstacles(facts),
    ...targetObstacles(facts),
    ...concurrencyObstacles(facts),
    ...spaceObstacles(facts),
    ...replaceObstacles(facts),
    ...tokenObstacles(facts),
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
  const message = `The group is incomplete (${plural(incomplete, 'archive')}): rows would be deleted and not restored`;
  return [
    {
      code: 'USAGE',
      message,
      hint: 'Choose a time range without missing archives (--from, --to), or restore without replacing rows.',
    },
  ];
}

function targetObstacles({ fractal, into, creates, name_taken }: RestoreFacts): ErrorReport[] {
  if (name_taken) {
    const hint = 'Choose another name, or restore into that fractal (--into).';
    return [{ code: 'EXISTS', message: `A fractal named ${into.name} already exists`, hint }];
  }
  if (fractal || creates) return [];
  const hint = 'Restore into a new fractal (--into-new), or choose another one (--into).';
  return [{ code: 'NOT_FOUND', message: `No such fractal: ${into.name}`, hint }];
}

/** Other active archives of these fractals: the server allows one at a time. */
function concurrencyObstacles({ files, archives, stale_locks }: RestoreFacts): ErrorReport[] {
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

function spaceObstacles({ content_bytes, free_bytes }: RestoreFacts): ErrorReport[] {
  if (free_bytes === null || content_bytes / TYPICAL_COMPRESSION <= free_bytes) return [];
  return [
    {
      code: 'STORAGE_FULL',
      message: `ClickHouse has ${formatBytes(free_bytes)} free, not enough for these rows`,
      hint: 'Free some space in ClickHouse, or restore a smaller time range (--from, --to).',
    },
  ];
}

function replaceObstacles({ removes, via, rows, rows_there }: RestoreFacts): ErrorReport[] {
  const obstacles: ErrorReport[] = [];
  if (removes && rows === 0 && rows_there > 0) {
    obstacles.push({
      code: 'USAGE',
      message: `The archive has no rows in that range: ${plural(rows_there, 'row')} would be deleted and none restored`,
      hint: 'Choose a time range with rows in the archive (--from, --to), or restore without replacing rows.',
    });
  }
  if (removes && (removes.from === null || removes.to === null)) {
    obstacles.push({
      code: 'USAGE',
      message: 'Cannot tell which rows to replace: the time range of the archive is unknown',
      hint: 'Set the time range in which to replace rows (--from, --to).',
    });
  }
  if (removes && via === 'ingest') {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: 'Cannot replace rows when restoring by ingest',
      hint: 'Ingested rows get new times and IDs. Restore without replacing rows, or restore directly (--via direct).',
    });
  }
  return obstacles;
}

function tokenObstacles({ via, has_token, into }: RestoreFacts): ErrorReport[] {
  if (via !== 'ingest' || has_token) return [];
  const message = `Fractal ${into.name} has no active ingest token`;
  return [{ code: 'NOT_FOUND', message, hint: 'Create one in Bifract, or restore directly (--via direct).' }];
}

/** What to consider before a restore of archives, one sentence each. */
export function restoreNotes(facts: RestoreFacts): string[] {
  const { differences } = facts;
  return [
    ...fileNotes(facts),
    ...methodNotes(facts),
    ...(differences ? differenceNotes(differences) : []),
    ...fractalNotes(facts),
  ];
}

function fileNotes({ files, incomplete, via }: RestoreFacts): string[] {
  const notes: string[] = [];
  if (incomplete > 0)
    notes.push(`${plural(incomplete, 'incomplete archive')} of the group will not be restored.`);
  const withoutFields = files.filter(({ file }) => !file.fields).length;
  if (via === 'direct' && withoutFields > 0) {
    const which = withoutFields === files.length ? '' : ` in ${withoutFields} of the ${files.length} files`;
    notes.push(
      `Parsed fields are missing${which}: restored rows will have empty fields, and field searches will not find them. To have the server parse the lines again, restore by ingest (--via ingest).`,
    );
  }
  const unproven = files.filter(({ sealed, file }) => !sealed && file.archive_id === null).length;
  if (unproven > 0) {
    notes.push(
      `${unproven === 1 ? '1 file has' : `${unproven} files have`} neither a trailer nor a record: rows may be missing at the end.`,
    );
  }
  return notes;
}

function methodNotes({ via, files }: RestoreFacts): string[] {
  if (via !== 'ingest') return [];
  const withoutLines = files.some(({ file }) => file.raw_from !== 'logs');
  return [
    ...(withoutLines
      ? [
          'Rows without their original line are sent as the text of their fields, which the server may parse differently.',
        ]
      : []),
    'The server parses each line again: rows get the ingest time, new IDs and current fields; lines without a time get the current one; existing rows are duplicated.',
    'Log lines that contain newlines cannot be ingested: they are skipped and counted.',
  ];
}

function fractalNotes({ creates, expires, removes, window }: RestoreFacts): string[] {
  const notes: string[] = [];
  if (creates)
    notes.push(
      `The fractal ${creates.name} is created without retention once all rows have been read and checked.`,
    );
  if (removes?.from && removes.to && (window.from === null || window.to === null)) {
    notes.push(
      `All rows from ${removes.from} to before ${removes.to} are deleted first, including those that the archive does not have; other rows are kept. To choose another range, set --from and --to.`,
    );
  }
  if (expires) {
    const { rows, exact, days } = expires;
    notes.push(
      `The fractal keeps rows for ${plural(days, 'day')}: the server will soon delete ${exact ? '' : 'up to '}${plural(rows, 'row')} of these again. Raise its retention first, or restore into a new fractal (--into-new).`,
    );
  }
  return notes;
}
