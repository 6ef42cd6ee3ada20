import { BifractError } from '../../src/core/errors.ts';
import type { Engine, JobEvent, JobKind, JobOutcome } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { itemLines } from '../print/items.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { tellEnd } from './run-job.ts';

/** Follows a job to its end and ends as it does. A signal ends the following, not the job. */
export function attachCommand(
  { job, flags }: { job: string; flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const id = await engine.findJob(job);
    try {
      return await attend(engine, id, printer, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new BifractError(signal.reason.code, `Detached: the job ${id} goes on`, {
        hint: `\`bifract attach ${id}\` shows it again, \`bifract cancel ${id}\` ends it.`,
      });
    }
  });
}

async function attend(engine: Engine, id: string, printer: Printer, signal: AbortSignal): Promise<number> {
  let kind: JobKind | undefined;
  for await (const event of engine.follow(id, { signal })) {
    if (event.event === 'job:started') kind = event.kind;
    printer.event(event);
    if (event.event === 'job:item') printer.item(itemLines(event));
    if (isEnd(event)) return tellEnd(event, kind, printer);
  }
  throw new BifractError('INTERNAL', `The job ${id} fell silent`);
}

function isEnd(event: JobEvent): event is JobOutcome {
  return event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
}
