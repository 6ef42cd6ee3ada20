import type { ArchiveRestoreFile, ArchiveRestorePlan } from '../../../core/index.ts';
import { formatDuration, formatStamp, shortStamp } from '../../../core/text/time.ts';
import { formatCount, formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { fit } from '../../text/text.ts';
import { field, heading, longField, paragraphs } from '../pages/fields.ts';
import type { Snapshot } from '../types.ts';

function formatTimeRange({ from, to }: ArchiveRestorePlan): string {
  if (from === null && to === null) return 'all times';
  return `from ${from === null ? 'the start' : shortStamp(from)} to ${to === null ? 'the end' : `${shortStamp(to)} (not included)`}`;
}

function atMost({ from, to }: ArchiveRestorePlan): string {
  return from === null && to === null ? '' : 'at most ';
}

/** What the restore does, in one sentence. */
function headline(plan: ArchiveRestorePlan): string {
  const { into, creates, replace, via, rows_there, rows } = plan;
  const source = plan.files.length === 1 ? 'the archive' : 'the archives';
  const ingest = via === 'direct' ? '' : ', as new lines through ingest';
  if (replace)
    return `DELETES ${plural(rows_there, 'row')} of ${into.name}, then restores ${atMost(plan)}${formatExact(rows)} from ${source}${ingest}.`;
  const how = via === 'direct' ? ', written directly to its ClickHouse table' : ingest;
  if (creates) return `Creates the fractal ${into.name} and restores rows into it${how}.`;
  return `Adds rows to ${into.name}${how}. Existing rows stay.`;
}

function fileLine(
  { name, rows, size_bytes, first, last, fields }: ArchiveRestoreFile,
  ellipsis: string,
  nameWidth: number,
): Line {
  return [
    {
      text: `  ${fit(`${formatStamp(first)} to ${formatStamp(last)}`, 37)} ${formatCount(rows).padStart(6)} rows ${formatBytes(size_bytes).padStart(10)}`,
    },
    { text: fields ? '' : ' no fields', tone: 'warn' },
    { text: `  ${fit(name, nameWidth, 'left', ellipsis)}`, tone: 'dim' },
  ];
}

/** A plan, most important facts first. */
export function archivePlanLines(plan: ArchiveRestorePlan, { columns, symbols }: Snapshot): Line[] {
  return [
    ...paragraphs([headline(plan)], columns, plan.replace ? 'bad' : 'plain'),
    ...plan.obstacles.flatMap(({ message, hint }) => [
      ...longField(`${symbols.bad} Blocked`, message, columns, 'bad'),
      ...(hint ? longField('What to do', hint, columns) : []),
    ]),
    ...plan.notes.flatMap((text) => longField(`${symbols.warn} Note`, text, columns, 'warn')),
    ...longField(
      'Rows',
      `${atMost(plan)}${formatExact(plan.rows)} in the files, ${formatTimeRange(plan)}`,
      columns,
    ),
    field(
      'Existing',
      { text: `${plural(plan.rows_there, 'row')} already in ${plan.into.name} in this time range` },
      { text: plan.replace && plan.rows_there > 0 ? ', to be deleted' : '', tone: 'bad' },
    ),
    field('Content', { text: formatBytes(plan.content_bytes) }),
    field('Duration', { text: `${formatDuration(plan.estimate_ms)} (rough estimate)` }),
    heading(plural(plan.files.length, 'file'), columns, symbols),
    ...plan.files.map((file) => fileLine(file, symbols.ellipsis, Math.max(10, columns - 72))),
  ];
}
