import type { Line } from '../../text/line.ts';
import { paragraphs } from '../pages/fields.ts';
import { backupPage, orphanPage } from '../pages/records.ts';
import type { Snapshot } from '../types.ts';
import { planChoices } from './planning.ts';
import { restoreBlocked, restorePlanLines } from './restore-plan.ts';
import type { BackupWizard, WizardChoice, WizardPage } from './types.ts';

const STEPS = 3;

/** Whether the plan replaces a database: this requires consents and a typed confirmation. */
export function replacesDatabase({ plan }: BackupWizard): boolean {
  return plan?.target.kind === 'live' && plan.replaces !== null;
}

function fileStep({ source }: BackupWizard, snapshot: Snapshot): WizardPage {
  const { data, columns } = snapshot;
  const known = data.backups.value?.some(({ name }) => name === source);
  const intro =
    'This backup will be restored. It is read completely and checked first. Nothing changes before you confirm the plan.';
  return {
    title: 'Backup',
    step: 1,
    steps: STEPS,
    lines: [
      ...paragraphs([intro], columns),
      ...(known ? backupPage(snapshot, source) : orphanPage(snapshot, source)),
    ],
    choices: [{ id: 'next', label: 'Continue: choose the target' }],
  };
}

function targetStep({ no_owner }: BackupWizard, { columns }: Snapshot): WizardPage {
  const lines: Line[] = paragraphs(
    ['Where should the backup be restored? For each choice, the file is checked and a plan is shown first.'],
    columns,
  );
  const choices: WizardChoice[] = [
    {
      id: 'drill',
      label: 'Test restore (scratch database, dropped afterwards)',
      description: 'Compares every row count with the backup. Nothing else is touched.',
      tone: 'good',
    },
    {
      id: 'beside',
      label: 'Restore to a new database',
      description: 'The live database is not touched.',
      tone: 'info',
    },
    {
      id: 'live',
      label: 'Replace the live database',
      description: 'All or nothing. Changes made since the backup are lost.',
      tone: 'bad',
    },
    {
      id: 'no_owner',
      label: 'Omit owners and privileges',
      description: 'The connecting user will own everything.',
      checked: no_owner,
    },
  ];
  return { title: 'Target', step: 2, steps: STEPS, lines, choices };
}

function consentChoices({ consent, plan }: BackupWizard): WizardChoice[] {
  if (!plan) return [];
  const count = plan.sessions.length;
  const { app } = plan;
  const label = `Stop the Bifract server (${app?.name}) during the restore`;
  const stopApp: WizardChoice[] = app?.running ? [{ id: 'stop_app', label, checked: consent.stop_app }] : [];
  return [
    {
      id: 'safety_backup',
      label: 'Back up the current database first',
      checked: consent.safety_backup,
      ...(consent.safety_backup
        ? {}
        : { tone: 'bad' as const, description: 'Without it there is no way back.' }),
    },
    {
      id: 'end_sessions',
      label: `Disconnect active sessions (${count === 0 ? 'none' : count} now)`,
      checked: consent.end_sessions,
    },
    ...stopApp,
  ];
}

function planStep(wizard: BackupWizard, snapshot: Snapshot): WizardPage {
  const { plan } = wizard;
  const confirmation = replacesDatabase(wizard) ? 'type the name of the database' : undefined;
  const blocked = restoreBlocked(wizard);
  return {
    title: 'Plan',
    step: 3,
    steps: STEPS,
    lines: plan ? restorePlanLines(plan, snapshot) : [],
    choices: [
      ...(replacesDatabase(wizard) ? consentChoices(wizard) : []),
      ...planChoices(confirmation, blocked),
    ],
  };
}

/** The current page of a backup restore. */
export function backupPageOf(wizard: BackupWizard, snapshot: Snapshot): WizardPage {
  switch (wizard.step) {
    case 'file':
      return fileStep(wizard, snapshot);
    case 'target':
      return targetStep(wizard, snapshot);
    case 'plan':
      return planStep(wizard, snapshot);
  }
}
