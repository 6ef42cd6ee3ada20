import { BifractError } from '../../src/core/contract/errors.ts';
import type { GlobalFlags } from '../arguments.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';

/** Cancels a job and waits for its cleanup. */
export function cancelCommand(
  { job, flags }: { job: string; flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const id = await engine.findJob(job);
    await engine.requestCancel(id, { signal });
    for await (const event of engine.follow(id, { signal })) {
      if (event.event === 'job:done' || event.event === 'job:failed') throw tooLate(id, event.event);
      if (event.event !== 'job:cancelled') continue;
      printer.result({ job: id, cancelled: true }, [`${id} cancelled. ${event.error.hint ?? ''}`.trim()]);
    }
    return 0;
  });
}

function tooLate(id: string, event: 'job:done' | 'job:failed'): BifractError {
  const how = event === 'job:done' ? 'finished' : 'failed';
  return new BifractError('NOT_FOUND', `Job ${id} ${how} before it could be cancelled`, {
    hint: `See the result with \`bifract attach ${id}\`.`,
  });
}
