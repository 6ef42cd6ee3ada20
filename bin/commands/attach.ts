import { BifractError } from '../../src/core/contract/errors.ts';
import type { JobEvent, JobOutcome } from '../../src/core/index.ts';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import { printOutcome } from '../jobs/run.ts';
import { type Session, withEngine } from '../session.ts';

export const ID_HELP = '<id> is the ID of a job, or the part of it after the last dash.';

export const command = defineCommand<{ id: string }>({
  declare(command, choose) {
    addFooter(command, ID_HELP)
      .description('Follow a job until it ends and exit with its exit code; Ctrl-C leaves it running')
      .argument('<id>')
      .action((id: string) => choose({ id }));
  },
  run: (input, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const id = await engine.findJob(input.id);
      try {
        return await follow(session, id);
      } catch (error) {
        if (!signal.aborted) throw error;
        // The signal stops following, not the job.
        throw new BifractError(signal.reason.code, `Detached: job ${id} is still running`, {
          hint: `Follow it with \`bifract attach ${id}\`, or cancel it with \`bifract cancel ${id}\`.`,
        });
      }
    }),
});

async function follow({ engine, printer, signal }: Session, id: string): Promise<number> {
  const queued = (await engine.queuedJobs()).find((job) => job.id === id && job.position > 0);
  if (queued) {
    const phase = `Waiting, number ${queued.position} in the queue`;
    printer.event({ event: 'job:phase', job: id, time: new Date().toISOString(), phase });
  }
  let kind: string | undefined;
  for await (const event of engine.follow(id, { signal })) {
    if (event.event === 'job:started') kind = event.kind;
    printer.event(event);
    if (isOutcome(event)) return printOutcome(event, kind, printer);
  }
  throw new BifractError('INTERNAL', `Lost contact with job ${id}`);
}

function isOutcome(event: JobEvent): event is JobOutcome {
  return event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
}
