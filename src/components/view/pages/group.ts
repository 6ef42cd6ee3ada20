import type { ArchiveRecord } from '../../../core/index.ts';
import { formatBytes, formatExact, plural } from '../../../core/text/units.ts';
import { fit } from '../../text/text.ts';
import type { Line, Snapshot } from '../types.ts';
import { field, heading } from './fields.ts';

const PERIOD = 26;

/** The archives of a group, one per line. */
export function groupPage(parts: readonly ArchiveRecord[], { columns, symbols }: Snapshot): Line[] {
  const rows = parts.reduce((sum, { log_count }) => sum + log_count, 0);
  const size = parts.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  return [
    heading(plural(parts.length, 'complete archive'), columns, symbols),
    field('Rows', { text: formatExact(rows) }),
    field('Size', { text: formatBytes(size) }),
    ...parts
      .toSorted((a, b) => (a.period_label ?? '').localeCompare(b.period_label ?? '', 'en'))
      .map(
        (part): Line => [
          {
            text: `  ${fit(part.period_label ?? '-', PERIOD)} ${formatExact(part.log_count).padStart(14)} rows ${formatBytes(part.size_bytes).padStart(10)}`,
          },
          { text: `  ${part.filename}`, tone: 'dim' },
        ],
      ),
  ];
}
