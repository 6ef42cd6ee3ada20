import { BifractError } from '../../src/core/contract/errors.ts';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import { withEngine } from '../session.ts';
import { ID_HELP } from './attach.ts';

export const command = defineCommand<{ id: string }>({
  declare(command, choose) {
    addFooter(command, ID_HELP)
      .description('Cancel a running job and wait for its cleanup, or remove a queued one')
      .argument('<id>')
      .action((id: string) => choose({ id }));
  },
  run: (input, context) =>
    withEngine(context, async ({ engine, printer, signal }) => {
      const id = await engine.findJob(input.id);
      if (await engine.removeQueued(id)) {
        printer.result({ job: id, cancelled: true }, [`${id} was removed from the queue.`]);
        return 0;
      }
      await engine.requestCancel(id, { signal });
      for await (const event of engine.follow(id, { signal })) {
        if (event.event === 'job:done' || event.event === 'job:failed') throw tooLate(id, event.event);
        if (event.event !== 'job:cancelled') continue;
        printer.result({ job: id, cancelled: true }, [`${id} cancelled. ${event.error.hint ?? ''}`.trim()]);
      }
      return 0;
    }),
});

function tooLate(id: string, event: 'job:done' | 'job:failed'): BifractError {
  const how = event === 'job:done' ? 'finished' : 'failed';
  return new BifractError('NOT_FOUND', `Job ${id} ${how} before it could be cancelled`, {
    hint: `See the result with \`bifract attach ${id}\`.`,
  });
}
