import { ERROR_EXITS } from '../../src/core/errors.ts';
import type { VerifySummary } from '../../src/core/jobs/verify.ts';
import type { GlobalFlags } from '../arguments.ts';
import type { FileInvocation } from '../file-arguments.ts';
import { verifySummaryLines } from '../print/verify.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { runJob } from './run-job.ts';

type VerifyInvocation = Extract<FileInvocation, { command: 'verify' }> & { flags: GlobalFlags };

/** Verifies files; a line for each as it ends, and what they come to. */
export function verifyCommand(invocation: VerifyInvocation, printer: Printer): Promise<number> {
  const { targets, quick, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const request = { kind: 'verify', targets, quick } as const;
    if (flags.detach) return detachJob(engine, request, printer, signal);
    const outcome = await runJob(engine, request, printer, signal);
    if (outcome.event !== 'job:done') {
      printer.failed(outcome.error);
      return ERROR_EXITS[outcome.error.code];
    }
    printer.result(outcome.result, verifySummaryLines(outcome.result as unknown as VerifySummary));
    return 0;
  });
}
