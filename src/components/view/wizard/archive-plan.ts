import type { ArchiveRestoreFile, ArchiveRestorePlan } from '../../../core/index.ts';
import { field, heading, longField } from '../pages/fields.ts';
import { fit } from '../text.ts';
import { formatDuration, formatStamp, shortStamp } from '../time.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatBytes, formatCount, formatExact, plural } from '../units.ts';
import { sentences } from './words.ts';

function windowWords({ from, to }: ArchiveRestorePlan): string {
  if (from === null && to === null) return 'of all times';
  return `from ${from === null ? 'the first' : shortStamp(from)} to ${to === null ? 'the last' : `before ${shortStamp(to)}`}`;
}

/** The sentence that says it all. */
function deedOf({ into, replace, via, rows_there }: ArchiveRestorePlan): string {
  const how = via === 'direct' ? 'straight into the table' : 'as new lines through ingest';
  return replace
    ? `REPLACES ${plural(rows_there, 'row')} of ${into.name} by those of the archive, ${how}.`
    : `Adds rows to ${into.name}, ${how}. Nothing is taken away.`;
}

function fileLine(
  { name, rows, size_bytes, first, last, fields }: ArchiveRestoreFile,
  mark: string,
  wide: number,
): Line {
  return [
    {
      text: `  ${fit(`${formatStamp(first)} to ${formatStamp(last)}`, 37)} ${formatCount(rows).padStart(6)} rows ${formatBytes(size_bytes).padStart(10)}`,
    },
    { text: fields ? '' : ' no fields', tone: 'warn' },
    { text: `  ${fit(name, wide, 'left', mark)}`, tone: 'dim' },
  ];
}

/** A plan, what matters most first. */
export function archivePlanLines(plan: ArchiveRestorePlan, { columns, glyphs }: Snapshot): Line[] {
  const bound = plan.from === null && plan.to === null ? '' : 'at most ';
  return [
    ...sentences([deedOf(plan)], columns, plan.replace ? 'bad' : 'plain'),
    ...plan.obstacles.flatMap(({ message, hint }) => [
      ...longField(`${glyphs.bad} In the way`, message, columns, 'bad'),
      ...(hint ? longField('What to do', hint, columns) : []),
    ]),
    ...plan.notes.flatMap((text) => longField(`${glyphs.warn} Note`, text, columns, 'warn')),
    ...longField('Rows', `${bound}${formatExact(plan.rows)} in the files, ${windowWords(plan)}`, columns),
    field(
      'There now',
      { text: `${plural(plan.rows_there, 'row')} of that time in ${plan.into.name}` },
      { text: plan.replace && plan.rows_there > 0 ? ', which go' : '', tone: 'bad' },
    ),
    field('Read', { text: `${formatBytes(plan.content_bytes)} of lines` }),
    field('Takes', { text: `about ${formatDuration(plan.estimate_ms)}, as measured elsewhere` }),
    heading(plural(plan.files.length, 'file'), columns, glyphs),
    ...plan.files.map((file) => fileLine(file, glyphs.more, Math.max(10, columns - 72))),
  ];
}
