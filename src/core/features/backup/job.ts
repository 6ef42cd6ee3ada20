import { ROLLED_BACK } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import type { Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, formatRatio, plural } from '../../text/units.ts';
import { backup } from './backup.ts';
import type { BackupRequest, BackupSummary, PrunePlan, PruneRequest, PruneSummary } from './contract.ts';
import { prune } from './prune.ts';

export const backupJob: JobType<BackupRequest, BackupSummary> = {
  title: () => 'Backup of PostgreSQL',
  destroys: () => undefined,
  run: backup,
  summary: backupRows,
  cancelEffect: 'Its partial output is deleted; nothing else is changed.',
  cancelledHint: ROLLED_BACK,
  estimatesTotal: true,
};

export const pruneJob: JobType<PruneRequest, PruneSummary> = {
  title: ({ plan }) => `Prune: delete ${deleted(plan).length} of ${plural(plan.items.length, 'backup')}`,
  destroys: ({ plan }) => deleted(plan),
  locks: true,
  run: prune,
  cancelEffect: 'What has been deleted so far is gone; the rest is kept.',
  cancelledHint: 'What has been deleted so far is gone; the rest is kept.',
  summary: ({ deleted: count, kept, freed_bytes }) => [
    { label: 'Deleted', value: `${plural(count, 'backup')} (${formatBytes(freed_bytes)})` },
    { label: 'Kept', value: plural(kept, 'backup') },
  ],
};

function deleted({ items }: PrunePlan): string[] {
  return items.filter(({ action }) => action === 'delete').map(({ name }) => name);
}

function backupRows(summary: BackupSummary): Row[] {
  const { name, size_bytes, content_bytes, checksum, duration_ms } = summary;
  const ratio = formatRatio(content_bytes, size_bytes) ?? '1:1';
  return [
    { label: 'Backup', value: name, tone: 'good' },
    { label: 'Contents', value: contentsOf(summary) },
    {
      label: 'Size',
      value: `${formatBytes(size_bytes)} (${formatBytes(content_bytes)} before compression, ${ratio})`,
    },
    { label: 'SHA-256', value: checksum },
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}

function contentsOf({ tables, rows, compared_tables }: BackupSummary): string {
  const compared =
    compared_tables === tables
      ? 'all compared with the database'
      : `${compared_tables} compared with the database, ${tables - compared_tables} only counted`;
  return `${plural(tables, 'table')}, ${plural(rows, 'row')}; ${compared}`;
}
