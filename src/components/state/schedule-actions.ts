import { type ArchiveSchedule, asBifractError, type Fractal } from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import { chooseValue, clearSelection, openPrompt } from './dialogs.ts';
import { SPLITS } from './job-actions.ts';
import { commonValue, selectedFractals } from './selection.ts';
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
  if (chosen.length === 0) return;
  const keepPrompt = (archive_schedule: string, archive_split: string) =>
    askKept(session, commonValue(chosen, 'max_archives') ?? null, (max_archives) => {
      void setSchedule(session, chosen, { archive_schedule, archive_split, max_archives });
    });
  const splitDialog = (schedule: string) =>
    chooseValue(session, {
      title: `How should the archives of ${namesOf(chosen)} be split?`,
      line: 'Periods are in UTC. Each file can be restored or deleted on its own.',
      values: SPLITS,
      current: commonValue(chosen, 'archive_split'),
      run: (split) => keepPrompt(schedule, split),
    });
  chooseValue(session, {
    title: `How often should ${namesOf(chosen)} be archived?`,
    line: 'Scheduled archives are made by `bifract run-due`, which cron or a timer must start. Days, weeks and months are in UTC.',
    values: INTERVALS,
    current: commonValue(chosen, 'archive_schedule'),
    run: (schedule) =>
      schedule === 'never'
        ? void setSchedule(session, chosen, { archive_schedule: schedule })
        : splitDialog(schedule),
  });
}

function namesOf(fractals: readonly Fractal[]): string {
  return fractals.length === 1 ? `"${fractals[0]?.name}"` : plural(fractals.length, 'fractal');
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

/** Each fractal keeps its own value of what is not given. */
async function setSchedule(
  session: Session,
  fractals: readonly Fractal[],
  schedule: Pick<ArchiveSchedule, 'archive_schedule'> & Partial<ArchiveSchedule>,
) {
  try {
    for (const { id, archive_split, max_archives } of fractals) {
      const complete = { archive_split, max_archives, ...schedule };
      await session.engine.setSchedule(id, complete, { signal: session.ended });
    }
    clearSelection(session);
    session.notify('good', `Schedule of ${namesOf(fractals)}: ${schedule.archive_schedule}`);
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `Cannot set the schedule: ${message}`, { hint });
  }
  session.data.refresh('fractals');
}
