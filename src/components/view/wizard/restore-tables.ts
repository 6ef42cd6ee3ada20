import type { RestorePlan, RestoreTable } from '../../../core/index.ts';
import { heading } from '../pages/fields.ts';
import { fit } from '../text.ts';
import type { Line, Snapshot, Tone } from '../types.ts';
import { formatExact, plural } from '../units.ts';

const NAME = 30;
const COUNT = 13;

/** How a table comes out of it, and how much a person should care: 0 is most. */
function changeOf({ where, rows_backup, rows_now }: RestoreTable): {
  text: string;
  tone: Tone;
  order: number;
} {
  if (where === 'database') return { text: 'goes', tone: 'bad', order: 0 };
  if (where === 'backup') return { text: 'comes back', tone: 'good', order: 2 };
  if (rows_backup === null || rows_now === null) return { text: 'not known', tone: 'warn', order: 1 };
  const change = rows_backup - rows_now;
  if (change === 0) return { text: 'same', tone: 'dim', order: 4 };
  return change < 0
    ? { text: `-${formatExact(-change)}`, tone: 'bad', order: 0 }
    : { text: `+${formatExact(change)}`, tone: 'good', order: 3 };
}

function rows(count: number | null, there: boolean): string {
  return (count === null ? (there ? '?' : '-') : formatExact(count)).padStart(COUNT);
}

/** How many tables lose what they hold now. */
function losses({ tables, replaces }: RestorePlan): { going: number; fewer: number } {
  if (!replaces) return { going: 0, fewer: 0 };
  const lossy = tables.filter((table) => changeOf(table).order === 0);
  const going = lossy.filter(({ where }) => where === 'database').length;
  return { going, fewer: lossy.length - going };
}

/** How many tables go or lose rows, as a sentence; empty where none does. */
export function lossesOf(plan: RestorePlan): string {
  const { going, fewer } = losses(plan);
  const parts = [
    going > 0 ? `${plural(going, 'table goes', 'tables go')}` : '',
    fewer > 0 ? `${plural(fewer, 'table loses', 'tables lose')} rows` : '',
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(', ')}: see below.` : '';
}

/** Tables with what they hold then and now; those that lose something first. */
export function tableLines({ tables, replaces }: RestorePlan, { columns, glyphs }: Snapshot): Line[] {
  const wide = Math.max(NAME, Math.min(60, columns - 2 * COUNT - 18));
  const titles = `  ${fit('', wide)} ${'in the backup'.padStart(COUNT)}${replaces ? ` ${'now'.padStart(COUNT)}` : ''}`;
  return [
    heading(plural(tables.length, 'table'), columns, glyphs),
    [{ text: titles, tone: 'dim' }],
    ...tables
      .toSorted((a, b) => changeOf(a).order - changeOf(b).order)
      .map((table): Line => {
        const { where, rows_backup, rows_now } = table;
        const name = `  ${fit(`${table.schema}.${table.name}`, wide, 'left', glyphs.more)} ${rows(rows_backup, where !== 'database')}`;
        if (!replaces) return [{ text: name }];
        const { text, tone } = changeOf(table);
        return [
          { text: `${name} ${rows(rows_now, where !== 'backup')}  `, tone: tone === 'dim' ? 'dim' : 'plain' },
          { text, tone },
        ];
      }),
  ];
}
