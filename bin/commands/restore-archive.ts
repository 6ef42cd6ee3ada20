import { BifractError } from '../../src/core/contract/errors.ts';
import type { ArchiveRestorePlan, Engine } from '../../src/core/index.ts';
import { formatExact } from '../../src/core/text/units.ts';
import type { ArchiveRestoreInvocation } from '../archive-restore-arguments.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm, confirmByTyping } from '../ask.ts';
import { archiveRestorePlanLines } from '../print/archive-restore.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { findFractal } from './fractal.ts';
import { runToEnd } from './run-job.ts';

type Invocation = ArchiveRestoreInvocation & { flags: GlobalFlags };

/** Plans, asks, restores. */
export function restoreArchiveCommand(invocation: Invocation, printer: Printer): Promise<number> {
  const { dry_run, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const plan = await makePlan(engine, invocation, signal);
    if (dry_run || !(flags.json || flags.quiet)) printer.list([plan], archiveRestorePlanLines(plan));
    if (dry_run) return 0;
    const [obstacle] = plan.obstacles;
    if (obstacle) throw new BifractError(obstacle.code, obstacle.message, { hint: obstacle.hint });
    await requireConsent(plan, flags, signal);
    const request = { kind: 'restore-archive', plan } as const;
    if (flags.detach) return detachJob(engine, request, printer, signal);
    return runToEnd(engine, request, printer, signal);
  });
}

async function makePlan(
  engine: Engine,
  { source, into, from, to, replace, via }: Invocation,
  signal: AbortSignal,
): Promise<ArchiveRestorePlan> {
  const fractal = into === undefined ? undefined : (await findFractal(engine, into, signal)).id;
  return engine.planArchiveRestore({ source, into: fractal, from, to, replace, via, signal });
}

/** Adding rows can be undone, so without a terminal it needs no consent. */
async function requireConsent(
  plan: ArchiveRestorePlan,
  flags: GlobalFlags,
  signal: AbortSignal,
): Promise<void> {
  const { into, replace, rows_there } = plan;
  if (replace && rows_there > 0) {
    const question = `Type the name of the fractal (${into.name}) to delete its ${formatExact(rows_there)} rows and restore the archive`;
    if (await confirmByTyping(into.name, question, flags, signal)) return;
  } else {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return;
    if (await confirm(`Restore up to ${formatExact(plan.rows)} rows into ${into.name}?`, flags, signal))
      return;
  }
  throw new BifractError('CANCELLED', 'Nothing was changed');
}
