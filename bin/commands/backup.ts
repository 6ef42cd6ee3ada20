import { ERROR_EXITS } from '../../src/core/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import type { BackupInvocation } from '../backup-arguments.ts';
import { resultLines } from '../print/results.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { neverBegun, tell } from '../tell.ts';
import { detachJob } from './detach.ts';
import { pruneAfter } from './prune.ts';
import { runJob } from './run-job.ts';

type Invocation = BackupInvocation & { flags: GlobalFlags };

/**
 * Backs up, then does what was asked for after it: metrics and hook in any case, retention only after a good one. What
 * fails of these fails the command, never the backup.
 */
export async function backupCommand(invocation: Invocation, printer: Printer): Promise<number> {
  let begun = false;
  try {
    return await withEngine(invocation.flags, (engine, signal) => {
      begun = true;
      return backUp(engine, invocation, printer, signal);
    });
  } catch (thrown) {
    // Who waits to hear of failures wants to hear of a broken installation as well.
    if (!begun) await tell(neverBegun(thrown, 'backup'), invocation, printer);
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
    await tell(outcome, invocation, printer);
    return ERROR_EXITS[outcome.error.code];
  }
  printer.result(outcome.result, resultLines('backup', outcome.result));
  const told = await tell(outcome, invocation, printer);
  if (invocation.prune === undefined) return told;
  return (await pruneAfter(engine, invocation.prune, printer, signal)) || told;
}
