import { BifractError, ERROR_EXITS } from '../../src/core/contract/errors.ts';
import { plural } from '../../src/core/text/units.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm } from '../ask.ts';
import type { FileInvocation } from '../file-arguments.ts';
import { orphanTable } from '../print/orphans.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { runJob } from './run-job.ts';

type CleanInvocation = Extract<FileInvocation, { command: 'clean' }> & { flags: GlobalFlags };

/** Lists what interrupted jobs left, asks, cleans up. Finished files are never touched. */
export function cleanCommand({ dry_run, flags }: CleanInvocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const orphans = (await engine.orphans({ signal })).filter(
      ({ actions }) => actions.includes('fail_record') || actions.includes('discard'),
    );
    if (dry_run || !flags.json) printer.list(orphans, orphanTable(orphans));
    if (dry_run || orphans.length === 0) return 0;
    const question = `Clean up ${plural(orphans.length, 'orphan')}: mark records as failed, delete unfinished files?`;
    if (!(await confirm(question, flags, signal))) throw new BifractError('CANCELLED', 'Nothing was changed');
    const outcome = await runJob(engine, { kind: 'clean', orphans }, printer, signal);
    if (outcome.event === 'job:done') {
      printer.result(outcome.result, []);
      return 0;
    }
    printer.failed(outcome.error);
    return ERROR_EXITS[outcome.error.code];
  });
}
