import type { Command } from 'commander';
import { asBifractError } from '../../src/core/contract/errors.ts';
import type { JobKind, JobOutcome, JobRequest, SummaryOf } from '../../src/core/index.ts';
import type { Context } from '../command.ts';
import type { Printer } from '../output/printer.ts';
import { type Session, withEngine } from '../session.ts';
import { checkReplaceable } from '../wiring.ts';
import { runHook } from './hook.ts';
import { type MetricFamily, writeMetrics } from './metrics.ts';
import { awaitJob, printOutcome } from './run.ts';

/** How to report the outcome of a job. */
export interface NotifyOptions {
  /** Path of the Prometheus metrics file. */
  metrics?: string;
  /** Shell commands. */
  onSuccess?: string;
  onFailure?: string;
}

/** What the notifications of a kind of job contain. */
export interface NotificationContent<Kind extends JobKind> extends MetricFamily<Kind> {
  /** Environment variables for the hook of a successful job. */
  variables(summary: SummaryOf<Kind>): Record<string, string>;
}

export function declareNotifications(command: Command, noun: string): Command {
  return command
    .option('--metrics <file>', 'Write metrics for the Prometheus node exporter')
    .option('--on-success <command>', `Run a shell command after a successful ${noun}`)
    .option('--on-failure <command>', `Run a shell command after a failed ${noun}`);
}

/** Describes the hooks of a command. `variables`: what its `variables` sets. */
export function hookHelp(variables: string): string {
  return `The shell runs the --on-success or --on-failure command with BIFRACT_RESULT set to success or failure. On success, ${variables} are set too; on failure, BIFRACT_CODE and BIFRACT_MESSAGE.`;
}

/**
 * Runs a job, prints its outcome and reports it, even that of a job that could not start, as in a broken installation.
 * After a success runs `afterwards`. `USAGE` if the metrics cannot go where they should; nothing runs then. A failed
 * notification fails the command, not the job.
 */
export async function runAndNotify<Request extends JobRequest>(
  context: Context,
  request: Request,
  options: NotifyOptions,
  content: NotificationContent<Request['kind']>,
  afterwards: (session: Session) => Promise<number> = async () => 0,
): Promise<number> {
  let started = false;
  // Until its target is checked, nothing may be written to it, but the hook must report that the job did not start.
  let checked: NotifyOptions = { ...options, metrics: undefined };
  const report = (outcome: JobOutcome<Request['kind']>) => notify(outcome, checked, content, context.printer);
  try {
    if (options.metrics !== undefined) await checkReplaceable(options.metrics);
    checked = options;
    return await withEngine(context, async (session) => {
      started = true;
      const outcome = await awaitJob(session, request);
      const failed = printOutcome(outcome, request.kind, session.printer);
      const not_reported = await report(outcome);
      return failed || (await afterwards(session)) || not_reported;
    });
  } catch (thrown) {
    if (!started) await report(failedStart(thrown, request));
    throw thrown;
  }
}

/** Writes metrics and runs the hook. Prints failures and returns their exit code. */
async function notify<Kind extends JobKind>(
  outcome: JobOutcome<Kind>,
  { metrics, onSuccess, onFailure }: NotifyOptions,
  content: NotificationContent<Kind>,
  printer: Printer,
): Promise<number> {
  const hook = outcome.event === 'job:done' ? onSuccess : onFailure;
  const actions = [
    ...(metrics === undefined ? [] : [() => writeMetrics(metrics, outcome, content)]),
    ...(hook === undefined ? [] : [() => runHook(hook, outcome, content.variables)]),
  ];
  let exit = 0;
  for (const action of actions) {
    try {
      await action();
    } catch (thrown) {
      const error = asBifractError(thrown);
      printer.failed(error.report());
      exit = error.exitCode;
    }
  }
  return exit;
}

function failedStart(thrown: unknown, { kind }: JobRequest): Exclude<JobOutcome, { event: 'job:done' }> {
  const error = asBifractError(thrown).report();
  return { event: 'job:failed', job: kind, time: new Date().toISOString(), error };
}
