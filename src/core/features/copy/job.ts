import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import { countOf } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { CopyJobRequest, CopyPlan, CopyQueries, CopySummary } from './contract.ts';
import { copy } from './copy.ts';
import { planCopy } from './plan.ts';
import { recoverCopy } from './recovery.ts';

export const copyJob: JobType<CopyJobRequest, CopySummary> = {
  title: ({ plan }) => {
    const what = countOf(
      plan.items.map(({ name }) => name),
      'file',
    );
    return `${plan.move ? 'Move' : 'Copy'} of ${what} to ${plan.to === 's3' ? 'S3' : 'disk'}`;
  },
  destroys: ({ plan }) => (plan.move ? plan.items.map(({ from_path }) => from_path) : undefined),
  run: async (services, { plan }, context) =>
    copy({ ...copyDeps(services), keys: await services.keys() }, plan, context),
  summary: ({ copied, size_bytes, moved, duration_ms }) => [
    {
      label: moved ? 'Moved' : 'Copied',
      value: `${plural(copied, 'file')} (${formatBytes(size_bytes)})`,
      tone: 'good',
    },
    { label: 'Duration', value: formatDuration(duration_ms) },
  ],
  cancelEffect: 'Finished copies are kept; the partial one is deleted.',
  recover: recoverCopy,
};

/** See `CopyQueries`. */
export function planCopyOf(
  services: Services,
  targets: readonly string[],
  query: Parameters<CopyQueries['planCopy']>[1],
): Promise<CopyPlan> {
  return planCopy({ ...copyDeps(services), now: services.now() }, targets, query);
}

function copyDeps(services: Services) {
  return { storages: services, catalog: () => services.catalog(), state: services.state };
}
