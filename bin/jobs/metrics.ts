import { asBifractError, BifractError } from '../../src/core/contract/errors.ts';
import type { JobKind, JobOutcome, SummaryOf } from '../../src/core/index.ts';
import { replaceFile } from '../wiring.ts';

const READABLE = 0o644;

/** The metrics of one kind of job. */
export interface MetricFamily<Kind extends JobKind> {
  /** Prefix of each name, as in `<prefix>_last_run_timestamp_seconds`. */
  prefix: string;
  /** Name of the job in help texts. */
  noun: string;
  /** Help text of each of its metrics. */
  help: Record<string, string>;
  /** The values of a successful job. */
  metrics(summary: SummaryOf<Kind>): Record<string, number>;
}

/**
 * Writes the metrics of a job to a file, which is replaced atomically and keeps its mode. Throws `STORAGE_FAILED`.
 * Call `checkReplaceable` before the job.
 */
export async function writeMetrics<Kind extends JobKind>(
  path: string,
  outcome: JobOutcome<Kind>,
  family: MetricFamily<Kind>,
): Promise<void> {
  const change = (before: Buffer | undefined) =>
    Buffer.from(metricsText(outcome, before?.toString() ?? '', family));
  try {
    await replaceFile(path, change, { mode: READABLE });
  } catch (cause) {
    const { message, hint = 'The folder of the metrics must exist and be writable.' } = asBifractError(cause);
    throw new BifractError('STORAGE_FAILED', message, { hint, cause });
  }
}

/** The metrics of a job in the Prometheus text format. A failed job keeps the values of the last successful one. */
export function metricsText<Kind extends JobKind>(
  outcome: JobOutcome<Kind>,
  previous: string,
  family: MetricFamily<Kind>,
): string {
  const help = helpOf(family);
  const values = new Map(readValues(previous, help));
  const set = (name: string, value: number) => values.set(`${family.prefix}_${name}`, value);
  const ended = Date.parse(outcome.time) / 1000;
  set('last_run_timestamp_seconds', ended);
  set('last_run_success', outcome.event === 'job:done' ? 1 : 0);
  if (outcome.event === 'job:done') {
    set('last_success_timestamp_seconds', ended);
    for (const [name, value] of Object.entries(family.metrics(outcome.result))) set(name, value);
  }
  return Object.entries(help)
    .filter(([name]) => values.has(name))
    .map(([name, text]) => `# HELP ${name} ${text}\n# TYPE ${name} gauge\n${name} ${values.get(name)}\n`)
    .join('');
}

function helpOf({
  prefix,
  noun,
  help,
}: Pick<MetricFamily<JobKind>, 'prefix' | 'noun' | 'help'>): Record<string, string> {
  const all = {
    last_run_timestamp_seconds: `End time of the last ${noun}, successful or not.`,
    last_run_success: `Whether the last ${noun} succeeded.`,
    last_success_timestamp_seconds: `End time of the last successful ${noun}.`,
    ...help,
  };
  return Object.fromEntries(Object.entries(all).map(([name, text]) => [`${prefix}_${name}`, text]));
}

function readValues(text: string, help: Record<string, string>): [string, number][] {
  return text.split('\n').flatMap((line): [string, number][] => {
    const [name = '', value] = line.split(' ');
    return name in help && value !== undefined && Number.isFinite(Number(value))
      ? [[name, Number(value)]]
      : [];
  });
}
