import type { ArchiveRecord, BrowsedRow, FileReport } from '../../core/index.ts';
import { sanitize } from '../../core/text/sanitize.ts';
import { formatBytes } from '../text/display.ts';
import { BELL, passedThrough } from '../text/osc.ts';
import { truncate } from '../text/text.ts';
import { rowAtCursor } from '../view/browse.ts';
import { groupOf } from '../view/lists/archive-rows.ts';
import { rowUnderCursor } from '../view/lists/index.ts';
import { setupParts } from '../view/setup.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { DialogOption, Snapshot } from '../view/types.ts';
import { openDialog } from './dialogs.ts';
import { readRow } from './rows/actions.ts';
import type { Session } from './session.ts';

type Copyable = { key: string; label: string; text: string | null };

/** Many terminals ignore more than this. */
const LONG_BYTES = 70_000;
const PREVIEW = 200;

function ofArchive(record: ArchiveRecord, report: FileReport | undefined): Copyable[] {
  return [
    { key: 'p', label: 'path', text: report?.path ?? record.storage_path },
    { key: 'i', label: 'ID', text: record.id },
    { key: 'c', label: 'SHA-256', text: record.checksum },
  ];
}

function ofReport(report: FileReport): Copyable[] {
  return [
    { key: 's', label: 'SHA-256 of the content', text: report.content_sha256 },
    { key: 'u', label: 'File ID', text: report.uuid },
    { key: 'k', label: 'Key fingerprint', text: report.key_id },
  ];
}

function ofSetup(snapshot: Snapshot): Copyable[] {
  const steps = (setupParts(snapshot) ?? []).flatMap((part) => part.steps);
  const commands = [...new Set(steps.map(({ command }) => command))];
  return commands.map((text, index) => ({ key: String(index + 1), label: text, text }));
}

/** What can be copied on this screen, except rows of an archive. */
export function copyables(snapshot: Snapshot): readonly Copyable[] {
  const screen = currentScreen(snapshot);
  const { data, jobs, ui } = snapshot;
  const id = rowUnderCursor(snapshot) ?? screen.subject;
  const archive = data.archives.value?.find((record) => record.id === id);
  const backup = data.backups.value?.find((record) => record.id === id);
  const fractal = data.fractals.value?.find((record) => record.id === id);
  const orphan = data.orphans.value?.find((record) => record.id === id);
  const job = jobs.find((candidate) => candidate.id === id);
  const report = id === screen.subject ? snapshot.reports.get(id ?? '')?.value : undefined;
  const entry =
    screen.name === 'log' || screen.name === 'entry' ? ui.log.find((line) => line.id === id) : undefined;
  const all: Copyable[] = [
    ...(archive ? ofArchive(archive, report) : []),
    ...(backup
      ? [
          { key: 'p', label: 'path', text: backup.path },
          { key: 'n', label: 'name', text: backup.name },
        ]
      : []),
    ...(groupOf(snapshot, id) ? [{ key: 'i', label: 'ID', text: id ?? null }] : []),
    ...(orphan
      ? [
          { key: 'p', label: 'path', text: orphan.path },
          { key: 'i', label: 'ID', text: orphan.id },
        ]
      : []),
    ...(report ? ofReport(report) : []),
    ...(fractal
      ? [
          { key: 'i', label: 'ID', text: fractal.id },
          { key: 'n', label: 'name', text: fractal.name },
        ]
      : []),
    ...(job ? [{ key: 'i', label: 'ID', text: job.id }] : []),
    ...(entry ? [{ key: 'm', label: 'message', text: entry.text }] : []),
    ...(screen.name === 'setup' ? ofSetup(snapshot) : []),
    ...(screen.name === 'overview'
      ? [{ key: 'd', label: 'directory', text: snapshot.installation.dir }]
      : []),
  ];
  return all.filter((one) => one.text);
}

/** Whether there is anything to copy here. */
export function canCopy(snapshot: Snapshot): boolean {
  return rowAtCursor(snapshot) !== undefined || copyables(snapshot).length > 0;
}

function copyText(session: Session, label: string, text: string) {
  session.terminal.write(copySequence(text, Boolean(process.env.TMUX)));
  const bytes = Buffer.byteLength(text);
  const shown = truncate(sanitize(text.slice(0, PREVIEW)), PREVIEW - 1);
  if (bytes <= LONG_BYTES)
    return session.notify('info', label === text ? `Copied: ${shown}` : `Copied ${label}: ${shown}`);
  const hint = 'Many terminals ignore clipboard data longer than 70 KB.';
  session.notify('warn', `Copied ${label} (${formatBytes(bytes)}): ${shown}`, { hint });
}

/** The row as JSON, with the keys of the lines of an archive. */
export function rowJson(
  { ts, raw, text_from, id, ingest_timestamp, fields, cols }: BrowsedRow,
  fid: string | undefined,
): string {
  const line = text_from === 'raw' ? raw : '';
  const head = JSON.stringify({ ts, raw: line, id, fid, its: ingest_timestamp });
  // Inserted as they are: parsing them would change large numbers.
  const members = [fields !== null && `,"fields":${fields}`, cols !== null && `,"cols":${cols}`];
  return `${head.slice(0, -1)}${members.filter(Boolean).join('')}}`;
}

async function copyRow(session: Session, index: number, label: string, text: (row: BrowsedRow) => string) {
  const row = await readRow(session, index);
  if (row) copyText(session, label, text(row));
}

function openRowCopyMenu(session: Session, index: number) {
  const fid = session.snapshot().browse?.report?.fractal?.id;
  const options = [
    ['r', 'log line', (row: BrowsedRow) => row.raw],
    ['j', 'row as JSON', (row: BrowsedRow) => rowJson(row, fid)],
    ['i', 'ID', (row: BrowsedRow) => row.id],
  ] as const;
  openDialog(session, {
    title: 'Copy',
    tone: 'info',
    lines: [],
    options: options.map(([key, label, text]) => ({
      key,
      label,
      safe: true,
      run: () => void copyRow(session, index, label, text),
    })),
  });
}

/** Copies the only value of this screen, or opens a menu if there are several. */
export function copy(session: Session) {
  const snapshot = session.snapshot();
  const row = rowAtCursor(snapshot);
  if (row !== undefined) return openRowCopyMenu(session, row);
  const [first, ...more] = copyables(snapshot);
  if (!first) return;
  const copyOne = ({ label, text }: Copyable) => copyText(session, label, text ?? '');
  if (more.length === 0) return copyOne(first);
  const options = [first, ...more].map(
    (one): DialogOption => ({ key: one.key, label: one.label, safe: true, run: () => copyOne(one) }),
  );
  openDialog(session, { title: 'Copy', tone: 'info', lines: [], options });
}

const OSC52 = '\x1b]52;c;';

/**
 * The OSC 52 sequence that makes the user's terminal copy a text, through SSH too. Inside tmux it is sent twice: for
 * tmux itself (`set-clipboard on`) and passed through (`allow-passthrough on`).
 */
export function copySequence(text: string, insideTmux: boolean): string {
  const sequence = OSC52 + Buffer.from(text, 'utf8').toString('base64') + BELL;
  if (!insideTmux) return sequence;
  return sequence + passedThrough(sequence);
}
