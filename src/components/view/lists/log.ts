import { formatClock, zoneName } from '../../text/display.ts';
import type { Tone } from '../../text/line.ts';
import type { LogEntry, Severity } from '../types.ts';
import { listOf } from './list.ts';

export const SEVERITY_TONE: Readonly<Record<Severity, Tone>> = {
  info: 'info',
  good: 'good',
  warn: 'warn',
  error: 'bad',
};

const LABELS: Readonly<Record<Severity, string>> = {
  info: 'info',
  good: 'done',
  warn: 'warning',
  error: 'error',
};

export const logList = listOf<LogEntry>({
  columns: [
    {
      id: 'time',
      get title() {
        return zoneName();
      },
      width: 8,
      cell: (entry) => ({ text: formatClock(entry.at), tone: 'dim' }),
      value: (entry) => entry.at,
    },
    {
      id: 'severity',
      title: 'Level',
      width: 7,
      cell: (entry) => ({ text: LABELS[entry.severity], tone: SEVERITY_TONE[entry.severity] }),
      value: (entry) => entry.severity,
    },
    {
      id: 'text',
      title: 'Message',
      width: 30,
      grow: 1,
      cell: (entry) => [
        { text: entry.text },
        ...(entry.hint ? [{ text: `  ${entry.hint}`, tone: 'dim' } as const] : []),
      ],
      value: (entry) => entry.text,
    },
  ],
  records: ({ ui }) => ui.log,
  id: (entry) => entry.id,
  search: (entry) => `${entry.severity} ${entry.text} ${entry.hint ?? ''}`,
  sort: { column: 'time', descending: true },
});
