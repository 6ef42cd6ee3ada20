import type { AdoptItem, ArchiveRecord, CopyItem, DeleteItem, DeletePlan, Orphan } from '../../core/index.ts';
import { ageOf, formatAge, formatStamp } from '../../core/text/time.ts';
import { formatCount, plural } from '../../core/text/units.ts';
import { formatBytes } from '../text/display.ts';
import type { Line } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { baseName, fit, isTypeable, wrap } from '../text/text.ts';
import { fileTime, fileTitle } from './archive-name.ts';
import type { DrawContext, Snapshot } from './types.ts';

function day(time: string | null): string {
  return formatStamp(time).slice(0, 10);
}

/** An item of an adoption plan; below it the reason if it is not adopted. */
export function adoptLines(item: AdoptItem, symbols: Symbols, columns: number): Line[] {
  const adopted = item.action === 'adopt';
  const rows = item.rows === null ? 'rows ?' : `${formatCount(item.rows)} rows`;
  const name = item.fractal?.name ?? item.fractal?.id ?? 'no fractal';
  const days = item.first === null ? '' : `${day(item.first)} to ${day(item.last)}  `;
  const line = [
    { text: adopted ? `${symbols.ok} ` : `${symbols.bad} `, tone: adopted ? 'good' : 'bad' } as const,
    { text: fit(name, 14, 'left', symbols.ellipsis) },
    { text: `${formatBytes(item.size_bytes).padStart(10)} ${rows.padStart(11)}  ${days}` },
    { text: fileTime(item.path) ?? baseName(item.path), tone: 'dim' } as const,
  ];
  if (adopted) return [line];
  const reason = wrap(`not adopted: ${item.reason}`, columns - 2);
  return [line, ...reason.map((text): Line => [{ text: `  ${text}`, tone: 'warn' }])];
}

/** An item of a clean-up: action, size, age, owner and name. */
export function orphanLine(orphan: Orphan, { now, symbols }: DrawContext): Line {
  const action = orphan.actions.includes('discard') ? 'delete' : 'mark as failed';
  const age = ageOf(orphan.since, now);
  return [
    { text: fit(action, 15, 'left', symbols.ellipsis), tone: action === 'delete' ? 'bad' : 'warn' },
    {
      text: `${formatBytes(orphan.size_bytes).padStart(10)} ${(age === undefined ? '-' : formatAge(age)).padStart(5)}  `,
    },
    { text: `${orphan.fractal_name ?? orphan.place}  ` },
    { text: fileTime(orphan.path) ?? baseName(orphan.path), tone: 'dim' },
  ];
}

const ACTION_WIDTH = 7;
const INDENT = ' '.repeat(ACTION_WIDTH);
function remarks(texts: readonly string[], tone: 'warn' | 'bad', columns: number): Line[] {
  return texts
    .flatMap((text) => wrap(text, columns - INDENT.length))
    .map((text) => [{ text: INDENT + text, tone }]);
}

function sizeAndAge(size_bytes: number, time: string | null, now: number): string {
  const age = ageOf(time, now);
  return `${formatBytes(size_bytes).padStart(10)} ${(age === undefined ? '-' : formatAge(age)).padStart(5)}  `;
}

/** Why an item is kept or skipped, and what to do. */
export function refusalText({ message, hint }: { message: string; hint?: string }): string {
  return hint ? `${message}. ${hint}` : message;
}

/** Notes that apply to every deleted item of several: shown once for all of them. */
export function sharedNotes({ items }: DeletePlan): readonly string[] {
  const [first, ...others] = items.filter(({ action }) => action === 'delete');
  if (!first || others.length === 0) return [];
  return first.notes.filter((note) => others.every(({ notes }) => notes.includes(note)));
}

/**
 * An item of a deletion plan: action, size, age and name; below it its notes, except those in `shared`, or the reason
 * why it is kept.
 */
export function deleteLines(
  item: DeleteItem,
  { now, symbols }: DrawContext,
  columns: number,
  shared: readonly string[] = [],
): Line[] {
  const deleted = item.action === 'delete';
  const what = item.kind === 'backup' ? item.id : `${item.title}  ${formatStamp(item.created_at)}`;
  const head: Line = [
    {
      text: fit(deleted ? 'delete' : 'keep', ACTION_WIDTH, 'left', symbols.ellipsis),
      tone: deleted ? 'bad' : 'good',
    },
    { text: sizeAndAge(item.size_bytes, item.created_at ?? item.modified_at, now) },
    { text: what },
    {
      text: item.storage_type === null || item.kind === 'backup' ? '' : `  ${item.storage_type}`,
      tone: 'dim',
    },
  ];
  const reason = item.refusal ? [`Kept: ${refusalText(item.refusal)}`] : [];
  return [
    head,
    ...remarks(reason, 'bad', columns),
    ...remarks(
      item.notes.filter((note) => !shared.includes(note)),
      'warn',
      columns,
    ),
  ];
}

function backupsLeft({ count, newest_whole }: NonNullable<DeletePlan['backups_left']>): string {
  if (newest_whole) return `Kept: ${plural(count, 'backup')}; the newest readable one is ${newest_whole}.`;
  return count === 0 ? 'No backups are left!' : `Kept: ${plural(count, 'backup')}, none of them readable!`;
}

/** What a deletion frees, and what it keeps. */
export function deletionLines(plan: DeletePlan): string[] {
  const { items, freed_bytes, backups_left } = plan;
  const deleted = items.filter(({ action }) => action === 'delete');
  if (deleted.length === 0) return [];
  const archives = items.some(({ kind }) => kind !== 'backup');
  return [
    `This cannot be undone. It frees ${formatBytes(freed_bytes)}.`,
    archives ? 'Kept: all other archives, and all logs in ClickHouse.' : '',
    backups_left ? backupsLeft(backups_left) : '',
    ...sharedNotes(plan),
  ].filter(Boolean);
}

/** The text to type to confirm a deletion: the name of a single item, or the number of items. */
export function deletionConfirmation({ items }: DeletePlan, archives: readonly ArchiveRecord[]): string {
  const [first, ...others] = items.filter(({ action }) => action === 'delete');
  const byCount = `delete ${others.length + 1}`;
  if (!first || others.length > 0) return byCount;
  const name =
    first.kind === 'backup'
      ? first.id.replace(/^(?:.*\/)?bifract-backup-(.+)\.bifract-backup$/, '$1')
      : shortName(archives.find(({ id }) => id === first.archive_id));
  return name !== undefined && isTypeable(name) ? name : byCount;
}

/** The period of a part of a group, which tells it from the others; else the fractal. */
function shortName(record: ArchiveRecord | undefined): string | undefined {
  return record?.period_label ?? record?.fractal_name;
}

/** An item of a copy plan: action, size, age and name; below it the reason why it is skipped. */
export function copyLines(item: CopyItem, { now, symbols, data }: Snapshot, columns: number): Line[] {
  const copied = item.action === 'copy';
  const head: Line = [
    {
      text: fit(copied ? 'copy' : 'skip', ACTION_WIDTH, 'left', symbols.ellipsis),
      tone: copied ? 'info' : 'warn',
    },
    { text: sizeAndAge(item.size_bytes, item.modified_at, now) },
    { text: fileTitle(item.name, data) },
  ];
  return [head, ...remarks(item.refusal ? [`Skipped: ${refusalText(item.refusal)}`] : [], 'bad', columns)];
}
