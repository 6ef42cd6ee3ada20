import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { Leftover, Orphan } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { confirm, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { leftoverLines } from '../output/leftovers.ts';
import { type Session, withEngine } from '../session.ts';

export const command = defineCommand<{ dryRun: boolean }>({
  declare(command, choose) {
    declarePlan(command)
      .description(
        'Mark the records of interrupted jobs and of missing files as failed, and delete unfinished files',
      )
      .action(choose);
  },
  run: ({ dryRun }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const leftovers = dryRun || session.flags.readOnly ? [] : await retryCleanup(session);
      const orphans = (await engine.orphans({ signal })).filter(
        ({ actions }) => actions.includes('fail_record') || actions.includes('discard'),
      );
      const count = orphans.length;
      const question = `Clean up ${plural(count, 'orphan')}: mark records as failed, delete unfinished files?`;
      const exit = await runPlan(session, {
        dryRun,
        values: orphans,
        lines: orphanLines(orphans),
        consent: () => confirm(session, count > 0 ? question : undefined),
        run: async () => (count === 0 ? 0 : runJob(session, { kind: 'clean', orphans })),
      });
      return leftovers.length > 0 ? reportLeftovers(session, leftovers) : exit;
    }),
});

/** Cleans up after interrupted jobs now, as every job does first. Returns what remains. */
async function retryCleanup({ engine, printer, flags, signal }: Session): Promise<Leftover[]> {
  const { done, leftovers } = await engine.recover({ signal });
  if (!flags.quiet) printer.list(leftovers, [...done, ...leftoverLines(leftovers)]);
  return leftovers;
}

function reportLeftovers({ printer }: Session, { length }: readonly Leftover[]): number {
  printer.failed({
    code: 'PARTLY_DONE',
    message: `${plural(length, 'interrupted job')} could not be cleaned up`,
    hint: 'Fix the cause, then run it again. `bifract status` shows what to do.',
  });
  return ERROR_EXITS.PARTLY_DONE;
}

const COMMANDS = { adopt: 'bifract adopt', fail_record: 'bifract clean', discard: 'bifract clean' } as const;

const RESUMABLE = '  fix: run the same archive command to resume, or `bifract clean` to delete';

/** Three or four lines per orphan: paths are long, and useful only in full. */
export function orphanLines(orphans: Orphan[]): string[] {
  if (orphans.length === 0) return ['No orphans: every file has a record, and every record has a file.'];
  return orphans.flatMap(({ kind, place, title, path, size_bytes, since, actions, goes_on }) => {
    const time = since === null ? [] : [`since ${formatStamp(since)}Z`];
    const unlisted = kind === 'file' && place === 'backups';
    const fix = unlisted
      ? 'use its path, or restore its original name'
      : [...new Set(actions.map((action) => COMMANDS[action]))].join(', ');
    const facts = [formatBytes(size_bytes), ...time, ...(fix && !goes_on ? [`fix: ${fix}`] : [])];
    return [title, `  ${facts.join(', ')}`, ...(goes_on ? [RESUMABLE] : []), `  ${sanitize(path)}`];
  });
}
