import { BifractError } from '../../src/core/errors.ts';
import type { Engine, JobEvent } from '../../src/core/index.ts';
import type { RestoreConsent, RestoreJobRequest, RestorePlan } from '../../src/core/restore.ts';
import type { GlobalFlags } from '../arguments.ts';
import { agrees, types } from '../ask.ts';
import { planLines } from '../print/restore.ts';
import type { Printer } from '../printer.ts';
import type { RestoreInvocation } from '../restore-arguments.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { runToEnd } from './run-job.ts';

type Invocation = RestoreInvocation & { flags: GlobalFlags };

/** Plans, shows the plan, asks, restores. */
export function restoreCommand(invocation: Invocation, printer: Printer): Promise<number> {
  const { dry_run, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const plan = await makePlan(engine, invocation, printer, signal);
    if (dry_run || !flags.json) printer.list([plan], planLines(plan));
    if (dry_run) return 0;
    const request = await requestOf(plan, invocation, signal);
    if (flags.detach) return detachJob(engine, request, printer, signal);
    return runToEnd(engine, request, printer, signal);
  });
}

async function makePlan(
  engine: Engine,
  { file, target, no_owner, flags }: Invocation,
  printer: Printer,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const tell = (event: JobEvent) => {
    if (!flags.json) printer.event(event);
  };
  const stamp = () => ({ job: 'plan', time: new Date().toISOString() });
  tell({ event: 'job:phase', ...stamp(), phase: `Reading ${file} to its end` });
  return engine.planRestore(
    { file, target, no_owner },
    {
      signal,
      onProgress: (bytes_in, total_bytes) =>
        tell({ event: 'job:progress', ...stamp(), bytes_in, total_bytes }),
    },
  );
}

async function requestOf(
  plan: RestorePlan,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<RestoreJobRequest> {
  if (plan.target.kind === 'drill') return { kind: 'drill', plan };
  return { kind: 'restore', plan, consent: await consentTo(plan, invocation, signal) };
}

/** Asks for what the plan needs and no flag says. Only what replaces something needs a yes at all. */
async function consentTo(
  plan: RestorePlan,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<RestoreConsent> {
  const { safety_backup, flags } = invocation;
  const { database, replaces, app, sessions, target } = plan;
  if (target.kind !== 'live' || !replaces)
    return { safety_backup: false, end_sessions: false, stop_app: false };
  mustBePossible(plan);
  const stop_app =
    invocation.stop_app ??
    (app?.running === true &&
      (await agrees('Stop the Bifract server meanwhile, and start it again after?', flags, signal)));
  const count = sessions.length;
  const end_sessions =
    invocation.end_sessions ??
    ((count > 0 || flags.yes || flags.nonInteractive) &&
      (await agrees(`End the sessions that are connected (${count} now)?`, flags, signal)));
  const question = `Type the name of the database (${database}) to replace it by the backup`;
  if (!(await types(database, question, flags, signal)))
    throw new BifractError('CANCELLED', 'Nothing was changed');
  return { safety_backup, end_sessions, stop_app };
}

/** What no consent removes is told before anything is asked. */
function mustBePossible({ obstacles }: RestorePlan): void {
  const [first] = obstacles.filter(({ consent }) => consent === null);
  if (first) throw new BifractError(first.code, first.message, { hint: first.hint });
}
