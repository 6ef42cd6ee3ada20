import type { BackupFile, CheckResult } from '../../core/index.ts';
import { sanitize } from '../../core/text/sanitize.ts';
import { type Line, lineWidth } from '../text/line.ts';
import { shorten, truncate, wrap } from '../text/text.ts';
import { archiveCheck, orphanCheck } from './file-checks.ts';
import { groupOf } from './lists/archive-rows.ts';
import { rowUnderCursor } from './lists/index.ts';
import { jobProblem, jobRows } from './lists/jobs.ts';
import { SEVERITY_TONE } from './lists/log.ts';
import { settingOf } from './settings.ts';
import { currentScreen } from './snapshot.ts';
import type { Snapshot } from './types.ts';

const MAX_LINES = 5;
const INDENT = '   ';

/** Minimum share of the line for the message, next to its hint. */
const TEXT_SHARE = 0.6;

/**
 * The last message, or the problem of the row under the cursor. An error takes several lines if needed, until the next
 * key collapses it into one.
 */
export function statusMessageLines(snapshot: Snapshot): readonly [Line, ...Line[]] {
  const { ui, symbols, columns } = snapshot;
  const entry = ui.statusMessage;
  // Table columns are too narrow for a full error message.
  if (!entry) return [noteUnderCursor(snapshot)];
  const symbol = { info: symbols.dot, good: symbols.ok, warn: symbols.warn, error: symbols.bad }[
    entry.severity
  ];
  const tone = SEVERITY_TONE[entry.severity];
  const line = (text: string): Line => [
    { text: ` ${symbol} `, tone, bold: true },
    { text, tone },
    { text: entry.hint ? `  ${entry.hint}` : '', tone: 'dim' },
  ];
  if (lineWidth(line(entry.text)) <= columns) return [line(entry.text)];
  if (entry.severity !== 'error' || entry.collapsed) {
    const fixed = lineWidth(line(''));
    const available = Math.max(Math.floor(columns * TEXT_SHARE), columns - fixed);
    return [line(shorten(sanitize(entry.text), available, symbols.ellipsis))];
  }
  const room = columns - INDENT.length - 1;
  const [whole, hint] = [wrap(entry.text, room), entry.hint ? wrap(entry.hint, room) : []];
  const why = firstLines(whole, MAX_LINES - Math.min(2, hint.length), room, symbols.ellipsis);
  const what = firstLines(hint, MAX_LINES - why.length, room, symbols.ellipsis);
  const [first = [], ...rest] = [
    ...why.map(
      (text, index): Line => [
        { text: index === 0 ? ` ${symbol} ` : INDENT, tone, bold: true },
        { text, tone },
      ],
    ),
    ...what.map((text): Line => [{ text: INDENT + text }]),
  ];
  return [first, ...rest];
}

/** The lines, or as many as fit; the last one then ends with an ellipsis. */
function firstLines(lines: readonly string[], count: number, columns: number, ellipsis: string): string[] {
  const kept = lines.slice(0, count);
  if (kept.length === lines.length) return kept;
  return kept.with(-1, truncate(`${kept.at(-1)} ${ellipsis}`, columns, ellipsis));
}

/** What does not fit into the row under the cursor. */
function noteUnderCursor(snapshot: Snapshot): Line {
  if (currentScreen(snapshot).name === 'settings')
    return [{ text: ` ${settingOf(rowUnderCursor(snapshot) ?? '')?.description ?? ''}`, tone: 'dim' }];
  return [{ text: ` ${problemUnderCursor(snapshot)}`, tone: 'bad' }];
}

/** The full error or warning of the row under the cursor; empty if there is none. */
function problemUnderCursor(snapshot: Snapshot): string {
  const id = rowUnderCursor(snapshot);
  switch (currentScreen(snapshot).name) {
    case 'archives':
    case 'fractal-archives':
    case 'group': {
      const group = groupOf(snapshot, id);
      if (group) return group.error_message ?? '';
      const record = snapshot.data.archives.value?.find((one) => one.id === id);
      return record ? (record.error_message ?? verificationError(archiveCheck(record, snapshot))) : '';
    }
    case 'backups':
      return backupProblem(snapshot.data.backups.value?.find((one) => one.id === id));
    case 'orphans': {
      const orphan = snapshot.data.orphans.value?.find((one) => one.id === id);
      if (!orphan) return '';
      const failed = verificationError(orphanCheck(orphan, snapshot));
      // If there are no actions, the title says why, and the column may cut it.
      return failed || (orphan.actions.length === 0 ? orphan.title : '');
    }
    case 'jobs': {
      const job = jobRows(snapshot).find((candidate) => candidate.id === id);
      return job ? jobProblem(job) : '';
    }
    default:
      return '';
  }
}

function verificationError(result: CheckResult | null): string {
  return result && !result.ok ? `Verification failed: ${result.message}` : '';
}

/** What is wrong with a backup, else what is odd about it. */
function backupProblem(backup: BackupFile | undefined): string {
  if (!backup) return '';
  if (backup.error) return `${backup.error.message}. ${backup.error.hint ?? ''}`.trim();
  if (backup.restored && !backup.restored.ok) return `Test restore failed: ${backup.restored.message}`;
  return verificationError(backup.verified) || (backup.notes[0] ?? '');
}
