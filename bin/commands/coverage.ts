import { Option } from 'commander';
import type { Coverage, CoveragePeriod } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatExact } from '../../src/core/text/units.ts';
import { findFractal } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { stampCell, table } from '../output/tables.ts';
import { withEngine } from '../session.ts';

interface Input {
  fractal: string;
  unit: 'hour' | 'day';
}

/** Prints merged periods for people, every period for programs. */
export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Show which hours or days of a fractal are archived, and which are only in ClickHouse')
      .argument('<fractal>')
      .addOption(new Option('--unit <unit>', 'Length of a period').choices(['hour', 'day']).default('day'))
      .action((fractal: string, options: Omit<Input, 'fractal'>) => choose({ fractal, ...options }));
  },
  run: ({ fractal, unit }, context) =>
    withEngine(context, async (session) => {
      const { id } = await findFractal(session, fractal);
      const coverage = await session.engine.coverage(id, { unit, signal: session.signal });
      session.printer.result(coverage, coverageLines(coverage));
      return 0;
    }),
  only_output: true,
});

const STATES: Record<CoveragePeriod['state'], string> = {
  both: 'archived',
  clickhouse: 'NOT ARCHIVED',
  archive: 'archives only',
  partial: 'PARTLY ARCHIVED',
  none: 'no rows',
};

/** Periods of one state in a row as one line, and a summary. */
export function coverageLines(coverage: Coverage): string[] {
  const { fractal_name, periods, unit, unprotected_rows } = coverage;
  if (periods.length === 0)
    return [
      `${sanitize(fractal_name)} has no rows in ClickHouse or in archives.`,
      ...serverArchiveLines(coverage),
    ];
  const missing = unprotected_rows === null ? 'not counted' : formatExact(unprotected_rows);
  return [
    ...table(mergedPeriods(periods), [
      { title: 'FROM', cell: ({ from }) => stamp(from, unit) },
      { title: 'TO', cell: ({ to }) => stamp(to, unit) },
      { title: 'STATE', cell: ({ state }) => STATES[state] },
      { title: 'ROWS', cell: ({ rows }) => formatExact(rows), right: true },
      { title: 'NOT ARCHIVED', cell: (one) => formatExact(one.unprotected_rows), right: true },
      { title: 'ARCHIVES', cell: ({ archive_ids }) => String(archive_ids.length), right: true, rank: 1 },
    ]),
    `Archived: ${archivedText(coverage)}. Rows not archived: ${missing}.`,
    ...serverArchiveLines(coverage),
  ];
}

function serverArchiveLines({ server_archive }: Coverage): string[] {
  if (!server_archive) return [];
  const { stale, detail } = server_archive;
  return [`${stale ? 'Warning: the' : 'The'} server's own archive (Iceberg, not counted above): ${detail}.`];
}

function archivedText({ protected_until, periods }: Coverage): string {
  if (protected_until !== null) return `everything until ${formatStamp(protected_until)}Z`;
  const some = periods.some(({ archive_ids }) => archive_ids.length > 0);
  return some ? 'some periods, but not the oldest rows' : 'nothing';
}

function stamp(time: string, unit: Coverage['unit']): string {
  return unit === 'day' ? time.slice(0, 'yyyy-mm-dd'.length) : stampCell(time);
}

function mergedPeriods(periods: readonly CoveragePeriod[]): CoveragePeriod[] {
  const merged: CoveragePeriod[] = [];
  for (const period of periods) {
    const last = merged.at(-1);
    if (last?.state !== period.state || last.to !== period.from) merged.push({ ...period });
    else Object.assign(last, merge(last, period));
  }
  return merged;
}

function merge(one: CoveragePeriod, other: CoveragePeriod): Partial<CoveragePeriod> {
  return {
    to: other.to,
    rows: one.rows + other.rows,
    unprotected_rows: one.unprotected_rows + other.unprotected_rows,
    archive_ids: [...new Set([...one.archive_ids, ...other.archive_ids])],
  };
}
