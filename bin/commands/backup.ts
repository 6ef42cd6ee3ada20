import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import { summaryRows } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import type { BackupInvocation } from '../backup-arguments.ts';
import { failedStart, notify } from '../notify.ts';
import { rowLines } from '../print/rows.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { pruneAfter } from './prune.ts';
import { runJob } from './run-job.ts';

type Invocation = BackupInvocation & { flags: GlobalFlags };

/**
 * Backs up, then notifies, then applies retention if the backup succeeded. A failed notification or retention fails the
 * command, not the backup.
 */
export async function backupCommand(invocation: Invocation, printer: Printer): Promise<number> {
  let started = false;
  try {
    return await withEngine(invocation.flags, (engine, signal) => {
      started = true;
      return backUp(engine, invocation, printer, signal);
    });
  } catch (thrown) {
    // A broken installation is a failure to report as well.
    if (!started) await notify(failedStart(thrown, 'backup'), invocation, printer);
    throw thrown;
  }
}

async function backUp(
  engine: Engine,
  invocation: Invocation,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  if (invocation.flags.detach) return detachJob(engine, { kind: 'backup' }, printer, signal);
  const outcome = await runJob(engine, { kind: 'backup' }, printer, signal);
  if (outcome.event !== 'job:done') {
    printer.failed(outcome.error);
    await notify(outcome, invocation, printer);
    return ERROR_EXITS[outcome.error.code];
  }
  printer.result(outcome.result, rowLines(summaryRows('backup', outcome.result)));
  const exit = await notify(outcome, invocation, printer);
  if (invocation.prune === undefined) return exit;
  return (await pruneAfter(engine, invocation.prune, printer, signal)) || exit;
}
