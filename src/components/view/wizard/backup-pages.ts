import { backupPage, orphanPage } from '../pages/records.ts';
import type { Line, Snapshot } from '../types.ts';
import { restoreBlocked, restorePlanLines } from './restore-plan.ts';
import type { BackupWizard, WizardChoice, WizardPage } from './types.ts';
import { planChoices, sentences } from './words.ts';

const STEPS = 3;

/** Whether the plan replaces a database, and so wants consents and a name typed. */
export function replacesDatabase({ plan }: BackupWizard): boolean {
  return plan?.target.kind === 'live' && plan.replaces !== null;
}

function filePage({ source }: BackupWizard, snapshot: Snapshot): WizardPage {
  const { data, columns } = snapshot;
  const known = data.backups.value?.some(({ name }) => name === source);
  const intro =
    'This is the backup that is brought back. Before anything else happens it will be read to its end, and a plan be shown.';
  return {
    title: 'the backup',
    step: 1,
    steps: STEPS,
    lines: [
      ...sentences([intro], columns),
      ...(known ? backupPage(snapshot, source) : orphanPage(snapshot, source)),
    ],
    choices: [{ id: 'next', label: 'Go on: choose where it goes' }],
  };
}

function targetPage({ no_owner }: BackupWizard, { columns }: Snapshot): WizardPage {
  const lines: Line[] = sentences(
    ['Where is the backup to go? Whatever you choose, the file is read and a plan is shown next.'],
    columns,
  );
  const choices: WizardChoice[] = [
    {
      id: 'drill',
      label: 'Drill: prove that it restores',
      about: 'Into a scratch database, every count compared, then dropped. Nothing else is touched.',
      tone: 'good',
    },
    {
      id: 'beside',
      label: 'Beside: into a new database',
      about: 'Under a name that does not exist yet. The live database is not touched.',
      tone: 'info',
    },
    {
      id: 'live',
      label: 'Live: replace the database of the installation',
      about: 'It becomes what the backup is, at one moment or not at all. What was made since goes.',
      tone: 'bad',
    },
    {
      id: 'no_owner',
      label: 'Leave owners and privileges out',
      about: 'Everything will belong to the user that connects.',
      on: no_owner,
    },
  ];
  return { title: 'where to', step: 2, steps: STEPS, lines, choices };
}

function consentChoices({ consent, plan }: BackupWizard): WizardChoice[] {
  if (!plan) return [];
  const count = plan.sessions.length;
  const { app } = plan;
  return [
    {
      id: 'safety_backup',
      label: 'Back up the present database right before it is replaced',
      on: consent.safety_backup,
      ...(consent.safety_backup ? {} : { tone: 'bad' as const, about: 'Without it there is no way back.' }),
    },
    {
      id: 'end_sessions',
      label: `End the sessions that are connected (${count === 0 ? 'none' : count} now)`,
      on: consent.end_sessions,
    },
    ...(app?.running
      ? [{ id: 'stop_app', label: `Stop the Bifract server (${app.name}) meanwhile`, on: consent.stop_app }]
      : []),
  ];
}

function planPage(wizard: BackupWizard, snapshot: Snapshot): WizardPage {
  const { plan } = wizard;
  const deed = replacesDatabase(wizard) ? 'type the name of the database' : 'answer one question';
  const blocked = restoreBlocked(wizard);
  return {
    title: 'the plan',
    step: 3,
    steps: STEPS,
    lines: plan ? restorePlanLines(plan, snapshot) : [],
    choices: [...(replacesDatabase(wizard) ? consentChoices(wizard) : []), ...planChoices(deed, blocked)],
  };
}

/** The page of the restore of a backup. */
export function backupPageOf(wizard: BackupWizard, snapshot: Snapshot): WizardPage {
  switch (wizard.step) {
    case 'file':
      return filePage(wizard, snapshot);
    case 'target':
      return targetPage(wizard, snapshot);
    case 'plan':
      return planPage(wizard, snapshot);
  }
}
