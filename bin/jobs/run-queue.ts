import { asBifractError } from '../../src/core/contract/errors.ts';
import { defineCommand } from '../command.ts';
import { type Session, withEngine } from '../session.ts';
import { removeEmptyLog } from '../wiring.ts';
import { respond } from './run-job.ts';

/**
 * Internal: the process that runs the queue, started by another bifract process. Reports on stdout that it has started,
 * or that another one runs the queue already. It has no terminal; SIGTERM stops it, but not the job that is running.
 */
export const command = defineCommand<object>({
  declare(command, choose) {
    command.action(() => choose({}));
  },
  async run(_input, context) {
    try {
      const run = ({ engine, signal }: Session) =>
        engine.runQueue({ signal, started: () => respond({ ok: true }) });
      await withEngine(context, run, { ignore_hangup: true });
      return 0;
    } catch (thrown) {
      const error = asBifractError(thrown);
      respond({ error: error.report() });
      return error.exitCode;
    } finally {
      await removeEmptyLog(context.flags.dir).catch(() => undefined);
    }
  },
});
