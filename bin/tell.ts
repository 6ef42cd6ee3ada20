import { asBifractError } from '../src/core/errors.ts';
import type { JobKind, JobOutcome } from '../src/core/index.ts';
import { type HookVariables, runHook } from './hook.ts';
import { type MetricFamily, writeMetrics } from './metrics.ts';
import type { Printer } from './printer.ts';

/** Whom a job's outcome is told to beside the one who reads its output. */
export interface Listeners {
  /** Where figures for Prometheus are written. */
  metrics: string | undefined;
  /** Commands for the shell. */
  on_success: string | undefined;
  on_failure: string | undefined;
}

/** How a kind of job is told: of a backup where absent. */
export interface Telling {
  metrics: MetricFamily;
  variables: HookVariables;
}

/** Writes metrics and runs the hook. What fails of these is said, and its exit code returned: the job stays as it was. */
export async function tell(
  outcome: JobOutcome,
  { metrics, on_success, on_failure }: Listeners,
  printer: Printer,
  telling?: Telling,
): Promise<number> {
  const hook = outcome.event === 'job:done' ? on_success : on_failure;
  const deeds = [
    ...(metrics === undefined ? [] : [() => writeMetrics(metrics, outcome, telling?.metrics)]),
    ...(hook === undefined ? [] : [() => runHook(hook, outcome, telling?.variables)]),
  ];
  let exit = 0;
  for (const deed of deeds) {
    try {
      await deed();
    } catch (thrown) {
      const error = asBifractError(thrown);
      printer.failed(error.report());
      exit = error.exitCode;
    }
  }
  return exit;
}

/** The outcome of a job that could not even begin. */
export function neverBegun(thrown: unknown, kind: JobKind): JobOutcome {
  const error = asBifractError(thrown).report();
  return { event: 'job:failed', job: kind, time: new Date().toISOString(), error };
}
