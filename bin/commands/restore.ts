import { BifractError } from '../../src/core/contract/errors.ts';
import type {
  DrillRequest,
  Engine,
  JobEvent,
  RestoreConsent,
  RestorePlan,
  RestoreRequest,
} from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm, confirmByTyping } from '../ask.ts';
import { restorePlanLines } from '../print/restore.ts';
import type { Printer } from '../printer.ts';
import type { RestoreInvocation } from '../restore-arguments.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { runToEnd } from './run-job.ts';

type Invocation = RestoreInvocation & { flags: GlobalFlags };

/** Plans, asks, restores. */
export function restoreCommand(invocation: Invocation, printer: Printer): Promise<number> {
  const { dry_run, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const plan = await makePlan(engine, invocation, printer, signal);
    if (dry_run || !flags.json) printer.list([plan], restorePlanLines(plan));
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
  const print = (event: JobEvent) => {
    if (!flags.json) printer.event(event);
  };
  const stamp = () => ({ job: 'plan', time: new Date().toISOString() });
  print({ event: 'job:phase', ...stamp(), phase: `Verifying ${file}` });
  return engine.planRestore(
    { file, target, no_owner },
    {
      signal,
      onProgress: (bytes_in, total_bytes) =>
        print({ event: 'job:progress', ...stamp(), bytes_in, total_bytes }),
    },
  );
}

async function requestOf(
  plan: RestorePlan,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<RestoreRequest | DrillRequest> {
  if (plan.target.kind === 'drill') return { kind: 'drill', plan };
  return { kind: 'restore', plan, consent: await askConsent(plan, invocation, signal) };
}

/** Asks for the consents that no flag gives. Only a restore that replaces a database needs any. */
async function askConsent(
  plan: RestorePlan,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<RestoreConsent> {
  const { safety_backup, flags } = invocation;
  const { database, replaces, app, sessions, target } = plan;
  if (target.kind !== 'live' || !replaces)
    return { safety_backup: false, end_sessions: false, stop_app: false };
  requirePossible(plan);
  const stop_app =
    invocation.stop_app ??
    (app?.running === true && (await confirm('Stop the Bifract server during the restore?', flags, signal)));
  const count = sessions.length;
  const end_sessions =
    invocation.end_sessions ??
    ((count > 0 || flags.yes || flags.nonInteractive) &&
      (await confirm(`Terminate sessions connected to the database (${count} now)?`, flags, signal)));
  const question = `Type the name of the database (${database}) to replace it with the backup`;
  if (!(await confirmByTyping(database, question, flags, signal)))
    throw new BifractError('CANCELLED', 'Nothing was changed');
  return { safety_backup, end_sessions, stop_app };
}

/** Throws the first obstacle that no consent removes, before anything is asked. */
function requirePossible({ obstacles }: RestorePlan): void {
  const [first] = obstacles.filter(({ consent }) => consent === null);
  if (first) throw new BifractError(first.code, first.message, { hint: first.hint });
}
