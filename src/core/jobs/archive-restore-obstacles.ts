import type { ArchiveRestorePlan } from '../archive-restore.ts';
import type { ErrorReport } from '../errors.ts';
import type { ArchiveRecord, Catalog, Fractal } from '../ports/catalog.ts';
import type { LogRestore } from '../ports/log-restore.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';
import { type FoundFile, USUAL_RATIO } from './archive-found.ts';

export interface RestoreObstacleDeps {
  catalog: Catalog;
  rows: LogRestore;
  /** Whether the fractal has a token that lines can be sent with. */
  hasToken(fractal_id: string): Promise<boolean>;
  /** Archives that are marked as being restored by jobs that are dead: the next job takes the mark away. */
  stale: ReadonlySet<string>;
}

/** What is known when a restore has been planned. */
export interface AboutRestore {
  found: readonly FoundFile[];
  /** Of a group: archives of it that cannot be restored. */
  incomplete: number;
  into: ArchiveRestorePlan['into'];
  /** The fractal that gets the rows, where there is one. */
  fractal: Fractal | undefined;
  window: { from: Timestamp | null; to: Timestamp | null };
  via: ArchiveRestorePlan['via'];
  removes: ArchiveRestorePlan['removes'];
  content_bytes: number;
  /** Rows that the files may hold in the window, and those that the fractal holds there. */
  rows: number;
  rows_there: number;
}

/** What keeps a planned restore from being done. */
export async function restoreObstacles(
  { catalog, rows, hasToken, stale }: RestoreObstacleDeps,
  about: AboutRestore,
  options: CallOptions,
): Promise<ErrorReport[]> {
  const byIngest = about.via === 'ingest';
  return [
    ...about.found.flatMap((one) => ofRecord(one, stale)),
    ...ofGaps(about),
    ...ofTarget(about),
    ...ofOthers(about.found, await catalog.archives({}, options), stale),
    ...(byIngest ? [] : ofSpace(about, await rows.freeBytes(options))),
    ...ofReplacing(about),
    ...(byIngest && !(await hasToken(about.into.id)) ? [noToken(about)] : []),
  ];
}

function ofRecord({ record, file }: FoundFile, stale: ReadonlySet<string>): ErrorReport[] {
  if (!record) return [];
  const { id, status, size_bytes } = record;
  if (status === 'in_progress' || (status === 'restoring' && !stale.has(id))) {
    const message = `The archive ${id} is being ${status === 'restoring' ? 'restored' : 'written'}, as its record says`;
    return [{ code: 'BUSY', message, hint: 'Wait until that has ended, then try again.' }];
  }
  if (status === 'failed') {
    const hint = 'Where the file is sound, `bifract adopt` sets its record right.';
    return [{ code: 'RECORD_DIFFERS', message: `The record of archive ${id} says that it failed`, hint }];
  }
  if (size_bytes !== file.size_bytes) {
    const message = `The file of archive ${id} has ${file.size_bytes} bytes, its record says ${size_bytes}`;
    return [{ code: 'RECORD_DIFFERS', message, hint: '`bifract verify` tells more.' }];
  }
  return [];
}

/** From the first archive of a group to its last there are times that only the lacking ones hold. */
function ofGaps({ removes, incomplete, window: { from, to } }: AboutRestore): ErrorReport[] {
  if (!removes || incomplete === 0 || (from !== null && to !== null)) return [];
  const message = `${incomplete} archives of the group are not complete: rows of their time would be removed, and not come back`;
  return [
    { code: 'USAGE', message, hint: 'Give --from and --to around what is complete, or leave --replace out.' },
  ];
}

function ofTarget({ fractal, into }: AboutRestore): ErrorReport[] {
  if (fractal) return [];
  const hint = 'Make it in Bifract, or name another one with --into. See `bifract list fractals`.';
  return [{ code: 'NOT_FOUND', message: `There is no fractal ${into.name}`, hint }];
}

/** Other archives of these fractals that are at work: the server's rule is one at a time. */
function ofOthers(
  found: readonly FoundFile[],
  archives: readonly ArchiveRecord[],
  stale: ReadonlySet<string>,
): ErrorReport[] {
  const own = new Set(found.flatMap(({ fractal, record }) => (fractal && record ? [fractal.id] : [])));
  const held = new Set(found.map(({ record }) => record?.id));
  return archives
    .filter(({ id, status, fractal_id }) => {
      const atWork = status === 'in_progress' || status === 'restoring';
      return atWork && own.has(fractal_id) && !held.has(id) && !stale.has(id);
    })
    .map(({ status, fractal_name }) => {
      const deed = status === 'restoring' ? 'restored from' : 'archived';
      const message = `Fractal ${fractal_name} is just being ${deed}`;
      return { code: 'BUSY', message, hint: 'Wait until that has ended, then try again.' };
    });
}

function ofSpace({ content_bytes }: AboutRestore, free: number | null): ErrorReport[] {
  if (free === null || content_bytes / USUAL_RATIO <= free) return [];
  return [
    {
      code: 'STORAGE_FULL',
      message: `ClickHouse has ${free} bytes free, which is too little for these rows`,
      hint: 'Free some space there, or restore a window with --from and --to.',
    },
  ];
}

function ofReplacing({ removes, via, rows, rows_there }: AboutRestore): ErrorReport[] {
  const obstacles: ErrorReport[] = [];
  if (removes && rows === 0 && rows_there > 0) {
    obstacles.push({
      code: 'USAGE',
      message: `The archive holds no rows of that time: ${rows_there} rows would be removed, and none come back`,
      hint: 'Give --from and --to around rows that it holds, or leave --replace out.',
    });
  }
  if (removes && (removes.from === null || removes.to === null)) {
    obstacles.push({
      code: 'USAGE',
      message: 'The archive does not tell of which time its rows are, so nothing says which rows to replace',
      hint: 'Give --from and --to: rows of that time are replaced.',
    });
  }
  if (removes && via === 'ingest') {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: 'Rows cannot be replaced by way of ingest',
      hint: 'Ingest gives them other times and ids. Leave --replace out, or restore directly.',
    });
  }
  return obstacles;
}

function noToken({ into }: AboutRestore): ErrorReport {
  const message = `Fractal ${into.name} has no active ingest token`;
  return { code: 'NOT_FOUND', message, hint: 'Make one in Bifract, or restore directly.' };
}
