import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { ArchiveRestorePlan, RestoreMethod } from '../../src/core/index.ts';
import { parseArchiveName, stampOf } from '../../src/core/policy/names.ts';
import { formatDuration } from '../../src/core/text/time.ts';
import { formatBytes, formatExact } from '../../src/core/text/units.ts';
import { declareParallel, declareTimeRange, findFractal, type TimeRange } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { completeName } from '../complete-name.ts';
import { addFooter, targetHelp } from '../help.ts';
import { confirm, confirmByTyping, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { row, rowLines } from '../output/rows.ts';
import { stampCell, table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';

interface Input extends TimeRange {
  source: string;
  /** Name or ID of a fractal. */
  into?: string;
  /** Name of a fractal to create. */
  intoNew?: string;
  replace: boolean;
  via: RestoreMethod;
  parallel?: number;
  dryRun: boolean;
}

const HELP = `${targetHelp('an archive or a group')} Rows that already exist are not duplicated. If a restore is interrupted, run the same command again: it resumes.`;

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Restore archived rows, with all columns as they were')
      .argument('<target>')
      .option('--into <fractal>', 'Restore into this fractal (name or ID) instead of the original one')
      .addOption(
        new Option('--into-new <name>', 'Restore into a new fractal, which keeps the rows forever').conflicts(
          'into',
        ),
      );
    declareParallel(declarePlan(declareTimeRange(command)), 'Insert through <n> connections at a time')
      .option(
        '--replace',
        "Before restoring, delete the fractal's rows between --from and --to (default: the archive's time range)",
        false,
      )
      .addOption(
        new Option(
          '--via <method>',
          'Write to the table directly, or send raw lines for the server to parse again',
        )
          .choices(['direct', 'ingest'])
          .default('direct'),
      )
      .action((source: string, options: Omit<Input, 'source'>) => choose({ source, ...options }));
    addFooter(command, HELP);
  },
  run: ({ dryRun, into, intoNew, source: typed, ...input }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const source = await completeName(session, typed, 'archive', 'group');
      const fractal = into === undefined ? undefined : (await findFractal(session, into)).id;
      const plan = await engine.planArchiveRestore({
        ...input,
        source,
        into: fractal,
        into_new: intoNew,
        signal,
      });
      return runPlan(session, {
        dryRun,
        values: [plan],
        lines: planLines(plan),
        consent: () => askConsent(plan, session),
        run: () => runJob(session, { kind: 'restore-archive', plan }),
      });
    }),
  detachable: true,
});

/** Throws the first obstacle before it asks. Deleting rows takes more than a yes. */
async function askConsent(plan: ArchiveRestorePlan, session: Session): Promise<void> {
  const { into, replace, rows, rows_there, obstacles } = plan;
  const [obstacle] = obstacles;
  if (obstacle) throw new BifractError(obstacle.code, obstacle.message, { hint: obstacle.hint });
  if (!replace || rows_there === 0)
    return confirm(session, `Restore up to ${formatExact(rows)} rows into ${into.name}?`);
  const question = `Type the name of the fractal (${into.name}) to delete its ${formatExact(rows_there)} rows and restore the archive`;
  return confirmByTyping(session, into.name, question);
}

/** The period and the time of an archive, from its name; the plan names the fractal. */
function shortName(name: string): string {
  const parsed = parseArchiveName(name.split('/').at(-1) ?? '');
  return parsed ? [parsed.label, stampOf(parsed.created_at)].filter(Boolean).join(', ') : name;
}

const METHODS = {
  direct: 'direct: written to the table, all columns as they were',
  ingest: 'ingest: sent as raw lines, parsed again by the server',
};

function planLines(plan: ArchiveRestorePlan): string[] {
  const {
    files,
    into,
    creates,
    via,
    removes,
    rows,
    content_bytes,
    rows_there,
    estimate_ms,
    notes,
    obstacles,
  } = plan;
  const limit = plan.from === null && plan.to === null ? '' : 'up to ';
  const existing = removes ? `rows (${windowText(removes)}), DELETED FIRST` : 'rows in this range';
  const facts = [
    row('Target', creates ? `${into.name}, new` : `${into.name} (${into.id})`),
    row('Range', windowText(plan)),
    row('Method', METHODS[via]),
    row('Rows', `${limit}${formatExact(rows)}, about ${formatBytes(content_bytes)} uncompressed`),
    row('Existing', `${formatExact(rows_there)} ${existing}`),
    row('Duration', estimate_ms < 1000 ? 'less than 1s' : `about ${formatDuration(estimate_ms)}`),
    ...notes.map((text) => row('Note', text)),
    ...obstacles.map(({ message, hint }) => row('Problem', hint ? `${message}. ${hint}` : message)),
  ];
  return [
    ...table(files, [
      { title: 'FILE', cell: ({ name }) => name, short: ({ name }) => shortName(name) },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'ROWS', cell: ({ rows: held }) => formatExact(held), right: true },
      { title: 'FIRST', cell: ({ first }) => stampCell(first), rank: 1 },
      { title: 'LAST', cell: ({ last }) => stampCell(last), rank: 1 },
    ]),
    '',
    ...rowLines(facts),
    '',
  ];
}

function windowText({ from, to }: Pick<ArchiveRestorePlan, 'from' | 'to'>): string {
  if (from === null && to === null) return 'all rows';
  return [from && `from ${from}`, to && `before ${to}`].filter(Boolean).join(', ');
}
