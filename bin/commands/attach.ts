import { BifractError } from '../../src/core/contract/errors.ts';
import type { Engine, JobEvent, JobOutcome } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { itemLines } from '../print/items.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { printOutcome } from './run-job.ts';

/** Follows a job to its end and returns its exit code. A signal stops following, not the job. */
export function attachCommand(
  { job, flags }: { job: string; flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const id = await engine.findJob(job);
    try {
      return await follow(engine, id, printer, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new BifractError(signal.reason.code, `Detached: job ${id} is still running`, {
        hint: `Follow it with \`bifract attach ${id}\`, or cancel it with \`bifract cancel ${id}\`.`,
      });
    }
  });
}

async function follow(engine: Engine, id: string, printer: Printer, signal: AbortSignal): Promise<number> {
  let kind: string | undefined;
  for await (const event of engine.follow(id, { signal })) {
    if (event.event === 'job:started') kind = event.kind;
    printer.event(event);
    if (event.event === 'job:item') printer.item(itemLines(event));
    if (isOutcome(event)) return printOutcome(event, kind, printer);
  }
  throw new BifractError('INTERNAL', `Lost contact with job ${id}`);
}

function isOutcome(event: JobEvent): event is JobOutcome {
  return event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
}
