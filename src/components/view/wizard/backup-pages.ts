import type { RestoreConsent } from '../../../core/index.ts';
import type { Line } from '../../text/line.ts';
import { paragraphs } from '../pages/fields.ts';
import { backupPage, orphanPage } from '../pages/records.ts';
import type { Snapshot } from '../types.ts';
import { lossLines, planChoices, type WizardStep } from './planning.ts';
import { restoreBlocked, restoreLosses, restorePlanLines } from './restore-plan.ts';
import type { BackupWizard, WizardChoice, WizardContent } from './types.ts';

/** The steps of a backup restore. */
export const BACKUP_STEPS: readonly WizardStep<BackupWizard>[] = [
  { step: 'file', title: 'Backup', content: fileStep },
  { step: 'target', title: 'Target', content: targetStep },
  { step: 'plan', title: 'Plan', content: planStep },
];

/** Whether the plan replaces a database: this requires consents and a typed confirmation. */
export function replacesDatabase({ plan }: BackupWizard): boolean {
  return plan?.target.kind === 'live' && plan.replaces !== null;
}

function fileStep({ source }: BackupWizard, snapshot: Snapshot): WizardContent {
  const { data, columns } = snapshot;
  const known = data.backups.value?.some(({ id }) => id === source);
  const intro =
    'This backup will be restored. It is read completely and checked first. Nothing changes before you confirm the plan.';
  return {
    lines: [
      ...paragraphs([intro], columns),
      ...(known ? backupPage(snapshot, source) : orphanPage(snapshot, source)),
    ],
    choices: [{ label: 'Continue: choose the target', effect: { do: 'change', change: { step: 'target' } } }],
  };
}

function targetStep(
  { target, no_owner, no_privileges, no_tablespaces }: BackupWizard,
  { columns }: Snapshot,
): WizardContent {
  const lines: Line[] = paragraphs(
    [
      'Where should the backup be restored? Whatever you choose, the file is checked and you see a plan first.',
    ],
    columns,
  );
  const choices: WizardChoice[] = [
    {
      effect: { do: 'plan', change: { target: { kind: 'drill' } } },
      checked: target.kind === 'drill',
      exclusive: true,
      label: 'Test restore (scratch database, dropped afterwards)',
      description: 'Compares every row count with the backup. Nothing else is touched.',
      tone: 'good',
    },
    {
      effect: { do: 'prompt', text: 'database' },
      checked: target.kind === 'beside',
      exclusive: true,
      label:
        target.kind === 'beside'
          ? `Restore to a new database: ${target.database}`
          : 'Restore to a new database',
      description: 'The live database is not touched.',
      tone: 'info',
    },
    {
      effect: { do: 'plan', change: { target: { kind: 'live' } } },
      checked: target.kind === 'live',
      exclusive: true,
      label: 'Replace the live database',
      description: 'All or nothing. Changes made since the backup are lost.',
      tone: 'bad',
    },
    {
      effect: { do: 'change', change: { no_owner: !no_owner } },
      label: 'Omit owners and privileges',
      description: 'The connecting user will own everything.',
      checked: no_owner,
    },
    {
      effect: { do: 'change', change: { no_privileges: !no_privileges } },
      label: 'Omit privileges only',
      description: 'Owners are kept. Use it if this server lacks some roles.',
      checked: no_owner || no_privileges,
      ...(no_owner ? { disabled: 'owners and privileges are omitted' } : {}),
    },
    {
      effect: { do: 'change', change: { no_tablespaces: !no_tablespaces } },
      label: 'Omit tablespaces',
      description: 'Everything is created in the default tablespace.',
      checked: no_tablespaces,
    },
    { label: 'Continue: create the plan', effect: { do: 'plan' }, continues: true },
  ];
  return { lines, choices };
}

function consentChoices({ consent, plan }: BackupWizard): WizardChoice[] {
  if (!plan) return [];
  const count = plan.sessions.length;
  const running = plan.containers.filter((one) => one.running).map(({ name }) => name);
  const label = `Stop what writes to the database (${running.join(', ')}) during the restore`;
  const toggle = (name: keyof RestoreConsent): Pick<WizardChoice, 'checked' | 'effect'> => ({
    checked: consent[name],
    effect: { do: 'change', change: { consent: { ...consent, [name]: !consent[name] } } },
  });
  const stopApp: WizardChoice[] = running.length > 0 ? [{ label, ...toggle('stop_app') }] : [];
  return [
    {
      label: 'Back up the current database first',
      ...toggle('safety_backup'),
      ...(consent.safety_backup
        ? {}
        : { tone: 'bad' as const, description: 'Without it there is no way back.' }),
    },
    {
      label: `Disconnect active sessions (${count === 0 ? 'none' : count} now)`,
      ...toggle('end_sessions'),
    },
    ...stopApp,
  ];
}

function planStep(wizard: BackupWizard, snapshot: Snapshot): WizardContent {
  const { plan } = wizard;
  const start = plan?.target.kind === 'drill' ? 'Continue: start the test restore' : undefined;
  const blocked = restoreBlocked(wizard);
  return {
    ...(plan ? { losses: lossLines(restoreLosses(plan, snapshot.now), snapshot) } : {}),
    lines: plan ? restorePlanLines(plan, snapshot) : [],
    choices: [...(replacesDatabase(wizard) ? consentChoices(wizard) : []), ...planChoices(blocked, start)],
  };
}
