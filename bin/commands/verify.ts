import { formatDuration } from '../../src/components/view/time.ts';
import { formatBytes, formatExact, plural } from '../../src/components/view/units.ts';
import { ERROR_EXITS } from '../../src/core/errors.ts';
import type { VerifySummary } from '../../src/core/jobs/verify.ts';
import type { GlobalFlags } from '../arguments.ts';
import type { FileInvocation } from '../file-arguments.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { runJob } from './run-job.ts';

type VerifyInvocation = Extract<FileInvocation, { command: 'verify' }> & { flags: GlobalFlags };

/** Verifies files; a line for each as it ends, and what they come to. */
export function verifyCommand(invocation: VerifyInvocation, printer: Printer): Promise<number> {
  const { targets, quick, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const outcome = await runJob(engine, { kind: 'verify', targets, quick }, printer, signal);
    if (outcome.event !== 'job:done') {
      printer.failed(outcome.error);
      return ERROR_EXITS[outcome.error.code];
    }
    printer.result(outcome.result, summaryLines(outcome.result as unknown as VerifySummary));
    return 0;
  });
}

function summaryLines({ files, proven, rows, size_bytes, quick, duration_ms }: VerifySummary): string[] {
  if (files === 0) return ['There is nothing to verify: no backup and no completed archive.'];
  const whole =
    files === 1 ? 'proven whole' : `${proven === files ? 'all' : `${proven} of ${files}`} proven whole`;
  const verdict = quick ? 'ends are sound' : proven === 0 ? 'sound as far as they go' : whole;
  const amount = `${plural(files, 'file')}, ${formatBytes(size_bytes)}, ${formatExact(rows)} rows`;
  return [`${amount}: ${verdict}, ${formatDuration(duration_ms)}`];
}
