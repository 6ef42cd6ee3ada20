import type { JobState, JobView } from '../../core/index.ts';
import { progressBar, restlessBar } from './bar.ts';
import { spinnerAt } from './glyphs.ts';
import { formatDuration } from './time.ts';
import type { Line, Snapshot, Span } from './types.ts';
import {
  formatByteRate,
  formatBytes,
  formatCount,
  formatExact,
  formatRatio,
  formatRowRate,
  plural,
} from './units.ts';

type Moment = Pick<Snapshot, 'glyphs' | 'now'>;

/** The state of a job: glyph and word. */
export function jobState(job: JobView, { glyphs, now }: Moment): Span {
  const spinner = spinnerAt(glyphs, now);
  if (job.waiting && job.state === 'running') return { text: `${glyphs.warn} waiting`, tone: 'warn' };
  const looks: Record<JobState, Span> = {
    running: { text: `${spinner} running`, tone: 'info' },
    cancelling: { text: `${spinner} cancelling`, tone: 'warn' },
    done: { text: `${glyphs.ok} done`, tone: 'good' },
    failed: { text: `${glyphs.bad} failed`, tone: 'bad' },
    cancelled: { text: `${glyphs.bad} cancelled`, tone: 'warn' },
  };
  return looks[job.state];
}

/** A bar of what is known. */
export function jobBar(job: JobView, columns: number, { glyphs, now }: Moment): Line {
  return job.fraction === undefined
    ? restlessBar(now, columns, glyphs)
    : progressBar(job.fraction, columns, glyphs);
}

/** The speed in the unit that counts. */
export function jobSpeed(job: JobView): string {
  if (job.rows_per_second !== undefined) return formatRowRate(job.rows_per_second);
  if (job.bytes_per_second !== undefined) return formatByteRate(job.bytes_per_second);
  return '-';
}

/** The time left, short. */
export function jobEta(job: JobView): string {
  return job.eta_ms === undefined ? '-' : formatDuration(job.eta_ms);
}

/** How much is done, of how much. */
export function jobDone({ progress }: JobView): string {
  const { rows, total_rows, bytes_in, total_bytes } = progress;
  if (rows !== undefined) {
    return total_rows
      ? `${formatExact(rows)} of ${formatExact(total_rows)} rows`
      : `${plural(rows, 'row')}, total unknown`;
  }
  if (bytes_in === undefined) return 'nothing counted yet';
  return total_bytes
    ? `${formatBytes(bytes_in)} of about ${formatBytes(total_bytes)}`
    : `${formatBytes(bytes_in)}, total unknown`;
}

/** Bytes in and out, with what compression made of them. */
export function jobBytes({ progress }: JobView): string {
  const { bytes_in, bytes_out } = progress;
  const ratio = formatRatio(bytes_in, bytes_out);
  const parts = [
    bytes_in === undefined ? '' : `${formatBytes(bytes_in)} read`,
    bytes_out === undefined ? '' : `${formatBytes(bytes_out)} stored`,
    ratio ? `ratio ${ratio}` : '',
  ];
  return parts.filter(Boolean).join(', ') || '-';
}

/** What a wait is about. */
export function jobWait(job: JobView, now: number): string | undefined {
  if (!job.waiting) return undefined;
  const { attempt, until, reason } = job.waiting;
  return `attempt ${attempt} begins in ${formatDuration(Math.max(0, until - now))}: ${reason}`;
}

/** What a finished job has made, in one sentence. */
export function jobResult(job: JobView): string {
  const result = job.result ?? {};
  const named = [result.name, result.filename, result.file].find((name) => typeof name === 'string');
  const rows = [result.log_count, result.rows].find((count) => typeof count === 'number');
  const size = result.size_bytes;
  const parts = [
    typeof named === 'string' ? named : '',
    typeof rows === 'number' ? `${formatCount(rows)} rows` : '',
    typeof size === 'number' ? formatBytes(size) : '',
    job.ended_at === undefined ? '' : `in ${formatDuration(job.ended_at - job.started_at)}`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** The end of a job as a sentence for the flash line and the log. */
export function jobEnd(job: JobView): { text: string; hint?: string } {
  if (job.state === 'done') return { text: `${job.title}: done, ${jobResult(job)}` };
  const word = job.state === 'failed' ? 'failed' : 'cancelled';
  const why = job.state === 'failed' && job.error ? `: ${job.error.message}` : '';
  return { text: `${job.title}: ${word}${why}`, hint: job.state === 'failed' ? job.error?.hint : undefined };
}
