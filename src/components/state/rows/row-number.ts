import { formatExact } from '../../../core/text/units.ts';
import { openPrompt } from '../dialogs.ts';
import type { Session } from '../session.ts';
import { countRows, goToRow, runTask } from './actions.ts';

/** As in less: a number, and what it means. */
const INPUT = /^(\d{1,15})([gG%]?)$/;

/** Prompts for the number of a row, or a percentage, as less does; `digit` is its start. */
export function promptRowNumber(session: Session, digit = '') {
  openPrompt(session, {
    prefix: 'row',
    hint: 'Enter or g: go to this row   %: to this percentage',
    text: digit,
    submitKeys: ['g', 'G', '%'],
    submit(text) {
      const [, digits, unit] = INPUT.exec(text) ?? [];
      if (digits === undefined) return text === '' ? undefined : 'Type a number';
      void (unit === '%' ? goToPercent(session, Number(digits)) : goToNumber(session, Number(digits)));
      return undefined;
    },
  });
}

async function goToPercent(session: Session, percent: number) {
  const rows = await countRows(session);
  if (rows !== undefined) goToRow(session, within(Math.floor((rows * percent) / 100), rows));
}

/** Goes to a row, counted from 1. */
async function goToNumber(session: Session, number: number) {
  const index = Math.max(0, number - 1);
  const { browse } = session.snapshot();
  if (browse && index >= browse.rows && !browse.complete) {
    const what = `Going to row ${formatExact(number)}`;
    const read = await runTask(session, what, (browser, signal) => browser.read(index, 1, { signal }));
    if (!read) return;
  }
  const rows = session.snapshot().browse?.rows ?? 0;
  goToRow(session, within(index, rows));
  if (index >= rows) session.notify('warn', `There are only ${formatExact(rows)} rows; this is the last one`);
}

function within(index: number, rows: number): number {
  return Math.max(0, Math.min(index, rows - 1));
}
