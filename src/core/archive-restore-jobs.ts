import type {
  ArchiveRestoreJobRequest,
  ArchiveRestorePlan,
  ArchiveRestoreQuery,
  ArchiveRestoreSummary,
} from './archive-restore.ts';
import { BifractError } from './errors.ts';
import type { JobEventMap } from './events.ts';
import type { JobContext } from './jobs/context.ts';
import type { Services } from './services.ts';

/** Plans a restore of an archive on an installation's services; see `ArchiveRestoreQueries`. */
export async function serveArchiveRestorePlan(
  _services: Services,
  { source }: ArchiveRestoreQuery,
): Promise<ArchiveRestorePlan> {
  throw new BifractError('UNSUPPORTED', `${source} cannot be restored by this version`);
}

/** Runs a restore of an archive as planned. */
export async function runArchiveRestore(
  _services: Services,
  { plan }: ArchiveRestoreJobRequest,
  _context: JobContext,
): Promise<ArchiveRestoreSummary> {
  throw new BifractError('UNSUPPORTED', `${plan.id} cannot be run by this version`);
}

export function archiveRestoreStarted({ kind, plan }: ArchiveRestoreJobRequest): JobEventMap['job:started'] {
  const [first] = plan.files;
  const what = plan.files.length === 1 && first ? first.name : `${plan.files.length} archives`;
  return {
    kind,
    title: `Restore of ${what} into ${plan.into.name}`,
    target: { kind: 'fractal', id: plan.into.id },
  };
}

/** What a restore takes away, for the audit log; undefined where it only adds. */
export function archiveRestoreRemoves({ plan }: ArchiveRestoreJobRequest): string[] | undefined {
  if (!plan.replace) return undefined;
  const { into, from, to, rows_there } = plan;
  const window = from || to ? `from ${from ?? 'the first'} to ${to ?? 'the last'}` : 'all of them';
  return [`${rows_there} rows of fractal ${into.name} (${into.id}), ${window}`];
}
