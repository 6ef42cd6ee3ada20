import { BifractError, ERROR_EXITS } from '../../src/core/errors.ts';
import type { GlobalFlags } from '../arguments.ts';
import { agrees } from '../ask.ts';
import type { FileInvocation } from '../file-arguments.ts';
import { orphanTable } from '../print/mending.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { runJob } from './run-job.ts';

type CleanInvocation = Extract<FileInvocation, { command: 'clean' }> & { flags: GlobalFlags };

/** Shows the orphans that can be put right without a file being touched, asks, and does it. */
export function cleanCommand({ dry_run, flags }: CleanInvocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const orphans = (await engine.orphans({ signal })).filter(
      ({ actions }) => actions.includes('fail_record') || actions.includes('discard'),
    );
    if (dry_run || !flags.json) printer.list(orphans, orphanTable(orphans));
    if (dry_run || orphans.length === 0) return 0;
    const question = 'Mark these records as failed and remove these unfinished files?';
    if (!(await agrees(question, flags, signal))) throw new BifractError('CANCELLED', 'Nothing was changed');
    const outcome = await runJob(engine, { kind: 'clean', orphans }, printer, signal);
    if (outcome.event === 'job:done') {
      printer.result(outcome.result, []);
      return 0;
    }
    printer.failed(outcome.error);
    return ERROR_EXITS[outcome.error.code];
  });
}
