import type { GlobalFlags } from '../arguments.ts';
import type { FileInvocation } from '../file-arguments.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { runToEnd } from './run-job.ts';

type VerifyInvocation = Extract<FileInvocation, { command: 'verify' }> & { flags: GlobalFlags };

/** Verifies files: prints a line per file and a summary. */
export function verifyCommand(invocation: VerifyInvocation, printer: Printer): Promise<number> {
  const { targets, quick, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const request = { kind: 'verify', targets, quick } as const;
    if (flags.detach) return detachJob(engine, request, printer, signal);
    return runToEnd(engine, request, printer, signal);
  });
}
