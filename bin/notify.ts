import { asBifractError } from '../src/core/contract/errors.ts';
import type { JobKind, JobOutcome } from '../src/core/index.ts';
import { type HookVariables, runHook } from './hook.ts';
import { type MetricFamily, writeMetrics } from './metrics.ts';
import type { Printer } from './printer.ts';

/** Notifications of a job's outcome. */
export interface NotifyOptions {
  /** Path of the Prometheus metrics file. */
  metrics: string | undefined;
  /** Shell commands. */
  on_success: string | undefined;
  on_failure: string | undefined;
}

/** What the notifications of a kind of job contain. */
export interface NotificationContent {
  metrics: MetricFamily;
  variables: HookVariables;
}

/** Writes metrics and runs the hook. Prints failures and returns their exit code. `content` defaults to that of a backup. */
export async function notify(
  outcome: JobOutcome,
  { metrics, on_success, on_failure }: NotifyOptions,
  printer: Printer,
  content?: NotificationContent,
): Promise<number> {
  const hook = outcome.event === 'job:done' ? on_success : on_failure;
  const actions = [
    ...(metrics === undefined ? [] : [() => writeMetrics(metrics, outcome, content?.metrics)]),
    ...(hook === undefined ? [] : [() => runHook(hook, outcome, content?.variables)]),
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

/** The outcome of a job that could not start. */
export function failedStart(thrown: unknown, kind: JobKind): JobOutcome {
  const error = asBifractError(thrown).report();
  return { event: 'job:failed', job: kind, time: new Date().toISOString(), error };
}
