import { BifractError } from '../../contract/errors.ts';
import { archiveLines, type ContentSummary, readContent } from '../../format/index.ts';
import type { RecoverOptions } from '../../job/job-type.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { storagesOf } from '../files/record-file.ts';
import type { ArchiveJobRequest } from './contract.ts';
import { isResumable } from './resume.ts';

const INTERRUPTED = 'Interrupted: the process writing this archive ended';
/** Error message of the record and the group of an interrupted archive while it can be resumed. */
export const RESUMABLE = `${INTERRUPTED}; archive the fractal again with the same options to resume`;

const UNUSABLE = new Set<string>(['DAMAGED', 'CUT_OFF', 'NOT_BIFRACT', 'WRONG_KEY']);

/** Whether an interrupted archive is recent, and has done work that need not be repeated. */
export async function canResume(
  services: Pick<Services, 'archives' | 'archive_limits' | 'now'>,
  { id, archive }: JobRecord,
  options: CallOptions,
): Promise<boolean> {
  const { max_duration_ms } = services.archive_limits;
  if (!archive || !isResumable(archive, max_duration_ms, services.now())) return false;
  if (archive.request.split !== 'none') return true;
  const storage = await services.archives();
  if (!storage.readUnfinished) return false;
  for await (const unfinished of storage.listUnfinished(options))
    if (unfinished.job === id || archive.leftovers.includes(unfinished.id)) return true;
  return false;
}

/** The request that resumes an interrupted archive. */
export async function resumeRequest(
  services: Pick<Services, 'catalog'>,
  { archive }: JobRecord,
  options?: CallOptions,
): Promise<ArchiveJobRequest | undefined> {
  if (!archive) return undefined;
  const { from, to, ...request } = archive.request;
  const fractals = await (await services.catalog()).fractals(options);
  const fractal_name = fractals.find(({ id }) => id === request.fractal_id)?.name;
  return { kind: 'archive', ...request, fractal_name, from: from ?? undefined, to: to ?? undefined };
}

/**
 * Recovers an interrupted archive: marks its record as failed, or as completed if its file is there and intact (its
 * rows were counted against ClickHouse before it was closed), and closes its group. Returns one sentence.
 */
export async function recoverArchive(
  services: Services,
  record: JobRecord,
  options: RecoverOptions,
): Promise<string[]> {
  const { archive_id, archive } = record;
  if (archive_id === undefined) return [];
  const catalog = await services.catalog();
  const [before] = await catalog.archives({ ids: [archive_id] }, options);
  const message = before
    ? await updateRecord(services, before, record, options)
    : `The record of ${record.object ?? archive_id} no longer exists`;
  const group_id = archive?.group_id ?? before?.group_id;
  const reason = options.resumable ? RESUMABLE : INTERRUPTED;
  if (archive && group_id) await catalog.closeGroup(group_id, { missing: null, message: reason }, options);
  // A resumable job is seen by every recovery: report it only once.
  return options.resumable && before?.status !== 'in_progress' ? [] : [message];
}

async function updateRecord(
  services: Services,
  record: ArchiveRecord,
  { object }: JobRecord,
  options: RecoverOptions,
): Promise<string> {
  const { id, status, storage_path } = record;
  // The server marks running archives as failed when it starts: that is as unreliable as `in_progress`.
  if (status === 'completed') return `${storage_path} was already complete`;
  const catalog = await services.catalog();
  const file = object === undefined ? undefined : await resultOfFile(services, record, object, options);
  if (file) {
    await catalog.completeArchive(id, file, options);
    return `${storage_path} is complete; record updated`;
  }
  if (options.resumable && status === 'failed') return `${storage_path} can be resumed`;
  await catalog.failArchive(id, options.resumable ? RESUMABLE : INTERRUPTED, options);
  return options.resumable
    ? `${storage_path} was interrupted; archive the fractal again to resume`
    : `${storage_path} was interrupted; record marked as failed`;
}

/**
 * The archive result for the record, after reading the file to the end; undefined if it is missing, damaged or under a key
 * that was replaced by hand: it can be adopted once that key is back.
 */
async function resultOfFile(
  services: Services,
  record: ArchiveRecord,
  name: string,
  options: RecoverOptions,
) {
  // The configuration may have changed.
  const [storage] = await storagesOf(services, record);
  if (!storage || !(await storage.stat(name, options))) return undefined;
  const content = readContent(storage.stream(name, options), {
    keys: await services.keys(),
    signal: options.signal,
  });
  try {
    for await (const _ of archiveLines(content)) options.alive();
    return resultOf(content.summary());
  } catch (error) {
    if (error instanceof BifractError && UNUSABLE.has(error.code)) return undefined;
    throw error;
  }
}

function resultOf({ size_bytes, checksum, end }: ContentSummary) {
  if (!end) return undefined;
  return {
    size_bytes,
    checksum,
    log_count: end.rows,
    time_range_start: end.first,
    time_range_end: end.last,
  };
}
