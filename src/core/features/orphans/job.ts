import { posix } from 'node:path';
import type { JobType } from '../../job/job-type.ts';
import { countOf } from '../../text/rows.ts';
import { plural } from '../../text/units.ts';
import { adopt } from './adopt.ts';
import { clean } from './clean.ts';
import type { AdoptRequest, AdoptSummary, CleanRequest, CleanSummary } from './contract.ts';

export const adoptJob: JobType<AdoptRequest, AdoptSummary> = {
  title: ({ plan }) => {
    const chosen = plan.items.filter(({ action }) => action === 'adopt');
    const names = chosen.map(({ path }) => posix.basename(path));
    return `Adoption of ${countOf(names, 'file')}`;
  },
  destroys: ({ plan }) =>
    plan.items
      .filter(({ action }) => action === 'adopt')
      .map(({ path, archive_id }) => (archive_id ? `record ${archive_id}, ${path}` : `new record, ${path}`)),
  locks: true,
  changesRecords: true,
  run: adopt,
  summary: ({ adopted, fractals_created }) => {
    const rows = adopted.reduce((sum, { log_count }) => sum + log_count, 0);
    return [
      { label: 'Adopted', value: plural(adopted.length, 'file'), tone: 'good' },
      { label: 'Rows', value: plural(rows, 'row') },
      ...(fractals_created.length > 0
        ? [{ label: 'Created', value: plural(fractals_created.length, 'fractal') }]
        : []),
    ];
  },
  cancelEffect: 'Records created so far are kept.',
  cancelledHint: 'Records created so far are kept.',
};

export const cleanJob: JobType<CleanRequest, CleanSummary> = {
  title: ({ orphans }) => {
    const titles = orphans.map(({ title }) => title);
    return `Clean-up of ${countOf(titles, 'orphan')}`;
  },
  destroys: ({ orphans }) =>
    orphans.map(({ kind, path, id }) => (kind === 'record' ? `record ${id}, ${path}` : path)),
  locks: true,
  changesRecords: true,
  run: clean,
  summary: () => [],
  cancelEffect: 'What has been cleaned up so far stays cleaned up.',
  cancelledHint: 'What has been cleaned up so far stays cleaned up.',
};
