import type { RestorePlan, RestoreTable } from '../../../core/index.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { fit } from '../../text/text.ts';
import { heading } from '../pages/fields.ts';
import type { Line, Snapshot, Tone } from '../types.ts';

const NAME = 30;
const COUNT = 13;

/** What happens to a table; `order` sorts by importance, 0 first. */
function changeOf({ where, rows_backup, rows_now }: RestoreTable): {
  text: string;
  tone: Tone;
  order: number;
} {
  if (where === 'database') return { text: 'dropped', tone: 'bad', order: 0 };
  if (where === 'backup') return { text: 'restored', tone: 'good', order: 2 };
  if (rows_backup === null || rows_now === null) return { text: 'unknown', tone: 'warn', order: 1 };
  const change = rows_backup - rows_now;
  if (change === 0) return { text: 'same', tone: 'dim', order: 4 };
  return change < 0
    ? { text: `-${formatExact(-change)}`, tone: 'bad', order: 0 }
    : { text: `+${formatExact(change)}`, tone: 'good', order: 3 };
}

function rows(count: number | null, there: boolean): string {
  return (count === null ? (there ? '?' : '-') : formatExact(count)).padStart(COUNT);
}

/** How many tables are dropped, and how many lose rows. */
function losses({ tables, replaces }: RestorePlan): { dropped: number; fewer: number } {
  if (!replaces) return { dropped: 0, fewer: 0 };
  const lossy = tables.filter((table) => changeOf(table).order === 0);
  const dropped = lossy.filter(({ where }) => where === 'database').length;
  return { dropped, fewer: lossy.length - dropped };
}

/** How many tables are dropped or lose rows, as a sentence; empty if none. */
export function lossesOf(plan: RestorePlan): string {
  const { dropped, fewer } = losses(plan);
  const parts = [
    dropped > 0 ? `${plural(dropped, 'table')} will be dropped` : '',
    fewer > 0 ? `${plural(fewer, 'table')} will lose rows` : '',
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(', ')}: see below.` : '';
}

/** Tables with their row counts in the backup and now, losses first. */
export function tableLines({ tables, replaces }: RestorePlan, { columns, symbols }: Snapshot): Line[] {
  const nameWidth = Math.max(NAME, Math.min(60, columns - 2 * COUNT - 18));
  const titles = `  ${fit('', nameWidth)} ${'in the backup'.padStart(COUNT)}${replaces ? ` ${'now'.padStart(COUNT)}` : ''}`;
  return [
    heading(plural(tables.length, 'table'), columns, symbols),
    [{ text: titles, tone: 'dim' }],
    ...tables
      .toSorted((a, b) => changeOf(a).order - changeOf(b).order)
      .map((table): Line => {
        const { where, rows_backup, rows_now } = table;
        const name = `  ${fit(`${table.schema}.${table.name}`, nameWidth, 'left', symbols.ellipsis)} ${rows(rows_backup, where !== 'database')}`;
        if (!replaces) return [{ text: name }];
        const { text, tone } = changeOf(table);
        return [
          { text: `${name} ${rows(rows_now, where !== 'backup')}  `, tone: tone === 'dim' ? 'dim' : 'plain' },
          { text, tone },
        ];
      }),
  ];
}
