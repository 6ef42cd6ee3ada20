import { type ArchiveSchedule, asBifractError, type Fractal } from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import type { DialogOption } from '../view/types.ts';
import { clearSelection, openDialog, openPrompt } from './dialogs.ts';
import { SPLITS } from './job-actions.ts';
import { selectedFractals } from './selection.ts';
import type { Session } from './session.ts';

const INTERVALS: readonly (readonly [schedule: string, key: string, label: string])[] = [
  ['daily', 'd', 'Daily'],
  ['weekly', 'w', 'Weekly (from Monday)'],
  ['monthly', 'm', 'Monthly'],
  ['never', 'n', 'Never'],
];

/** As many as `bifract schedule` accepts. */
const MAX_KEPT = 999_999;

/** Asks when the selected fractals are archived, how they are split and how many archives are kept, and sets that. */
export function chooseSchedule(session: Session) {
  const chosen = selectedFractals(session.snapshot());
  const [first] = chosen;
  if (!first) return;
  const { archive_schedule, archive_split, max_archives } = first;
  const set = (schedule: ArchiveSchedule) => void setSchedule(session, chosen, schedule);
  const keepPrompt = (schedule: string, split: string) =>
    askKept(session, max_archives, (kept) =>
      set({ archive_schedule: schedule, archive_split: split, max_archives: kept }),
    );
  const splitDialog = (schedule: string) =>
    choose(session, {
      title: `How should the archives of ${namesOf(chosen)} be split?`,
      line: 'Periods are in UTC. Each file can be restored or deleted on its own.',
      options: SPLITS,
      current: archive_split,
      run: (split) => keepPrompt(schedule, split),
    });
  choose(session, {
    title: `How often should ${namesOf(chosen)} be archived?`,
    line: 'Scheduled archives are made by `bifract run-due`, which cron or a timer must start. Days, weeks and months are in UTC.',
    options: INTERVALS,
    current: archive_schedule,
    run: (schedule) =>
      schedule === 'never'
        ? set({ archive_schedule: schedule, archive_split, max_archives })
        : splitDialog(schedule),
  });
}

function namesOf(fractals: readonly Fractal[]): string {
  return fractals.length === 1 ? `"${fractals[0]?.name}"` : plural(fractals.length, 'fractal');
}

/** Opens a dialog with one option for each value; the current one has the focus. */
function choose(
  session: Session,
  {
    title,
    line,
    options,
    current,
    run,
  }: {
    title: string;
    line: string;
    options: readonly (readonly [value: string, key: string, label: string])[];
    current: string;
    run(value: string): void;
  },
) {
  const choices = options.map(
    ([value, key, label]): DialogOption => ({
      key,
      label: value === current ? `${label} (current setting)` : label,
      safe: true,
      run: () => run(value),
    }),
  );
  openDialog(session, { title, tone: 'info', lines: [line], options: choices });
  const focus = options.findIndex(([value]) => value === current);
  session.dispatch({ type: 'focus', by: Math.max(0, focus) });
}

function askKept(session: Session, current: number | null, run: (kept: number | null) => void) {
  openPrompt(session, {
    prefix: 'keep',
    hint: 'scheduled archives; empty: all',
    text: current === null ? '' : String(current),
    submit(text) {
      const number = text.trim() === '' ? null : Number(text);
      if (number !== null && !(Number.isInteger(number) && number >= 1 && number <= MAX_KEPT))
        return `Not a number from 1 to ${MAX_KEPT}`;
      run(number);
      return undefined;
    },
  });
}

async function setSchedule(session: Session, fractals: readonly Fractal[], schedule: ArchiveSchedule) {
  try {
    for (const { id } of fractals) await session.engine.setSchedule(id, schedule, { signal: session.ended });
    clearSelection(session);
    session.notify('good', `Schedule of ${namesOf(fractals)}: ${schedule.archive_schedule}`);
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `Cannot set the schedule: ${message}`, { hint });
  }
  session.data.refresh('fractals');
}
