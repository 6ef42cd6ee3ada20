import { take } from '../../src/components/text/text.ts';
import type { JobEvent, Progress } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatDuration } from '../../src/core/text/time.ts';
import {
  formatByteRate,
  formatBytes,
  formatExact,
  formatPercent,
  formatRowRate,
} from '../../src/core/text/units.ts';

/** Text of an event other than progress; undefined for events that need no line. */
export function describeEvent(event: JobEvent): string | undefined {
  switch (event.event) {
    case 'job:started':
      return sanitize(`${event.title} (${event.job})`);
    case 'job:phase':
      return sanitize(`${event.phase} …`);
    case 'job:retry':
      return sanitize(
        `Retrying in ${formatDuration(event.wait_ms)} (attempt ${event.attempt + 1}): ${event.reason}`,
      );
    case 'job:warning':
      return sanitize(`Warning: ${event.message}`);
    default:
      return undefined;
  }
}

/** Text of the outcome of one item of a job. */
export function describeItem({ item, ok, message, error }: Extract<JobEvent, { event: 'job:item' }>): string {
  return ok ? `ok      ${item}: ${message}` : `FAILED  ${item}: ${message}${error ? ` [${error.code}]` : ''}`;
}

/** The progress line of a job: folds its events and formats the latest. */
export class ProgressLine {
  #started = 0;
  #phase = '';

  fold(event: JobEvent) {
    if (event.event === 'job:phase') {
      this.#phase = event.phase;
      this.#started = Date.parse(event.time);
    }
  }

  /** Formats the line in at most `columns` columns. */
  text(event: JobEvent, columns = Number.POSITIVE_INFINITY): string {
    if (event.event !== 'job:progress') return this.#phase;
    const elapsed = Math.max(1, Date.parse(event.time) - this.#started);
    const parts = [this.#phase, ...amounts(event, elapsed), formatDuration(elapsed)];
    return take(sanitize(parts.filter(Boolean).join('  ')), columns);
  }
}

function amounts(progress: Progress, elapsed: number): string[] {
  const { item, rows, total_rows, bytes_in, bytes_out, total_bytes } = progress;
  const seconds = elapsed / 1000;
  const parts = [item ?? ''];
  if (rows !== undefined && total_rows) {
    parts.push(`${formatPercent(rows / total_rows)}  ${formatExact(rows)}/${formatExact(total_rows)} rows`);
    parts.push(formatRowRate(rows / seconds));
  } else if (bytes_in !== undefined) {
    parts.push(
      total_bytes ? `${formatBytes(bytes_in)} of about ${formatBytes(total_bytes)}` : formatBytes(bytes_in),
    );
    parts.push(formatByteRate(bytes_in / seconds));
  }
  if (bytes_out !== undefined) parts.push(`${formatBytes(bytes_out)} stored`);
  return parts;
}
