import type { JobRequest, RestoreTarget } from '../../../core/index.ts';
import type { DialogState } from '../../view/types.ts';
import { replacesDatabase } from '../../view/wizard/backup-pages.ts';
import type { BackupWizard } from '../../view/wizard/types.ts';
import { openDialog, openPrompt, startAndShow } from '../plan-dialog.ts';
import type { Session } from '../session.ts';

const NO_CONSENT = { safety_backup: false, end_sessions: false, stop_app: false } as const;

/** PostgreSQL truncates longer names. */
const MAX_NAME_BYTES = 63;

/** The initial state of the restore of a backup. */
export function newBackupWizard(source: string): BackupWizard {
  return {
    kind: 'backup',
    source,
    step: 'file',
    index: 0,
    top: 0,
    target: { kind: 'drill' },
    no_owner: false,
    consent: { safety_backup: true, end_sessions: false, stop_app: false },
  };
}

/** Plans the restore. */
export function planBackup(session: Session, { source, target, no_owner }: BackupWizard) {
  const query = { file: source, target, no_owner };
  session.wizard.plan((signal, onProgress) => session.engine.planRestore(query, { signal, onProgress }));
}

function planTarget(session: Session, target: RestoreTarget) {
  session.wizard.change({ step: 'plan', target });
  const wizard = session.wizard.state();
  if (wizard?.kind === 'backup') planBackup(session, wizard);
}

function promptDatabaseName(session: Session) {
  openPrompt(session, {
    prefix: 'database',
    hint: 'name of the new database',
    text: 'bifract_restored',
    submit(text) {
      const database = text.trim();
      const bytes = Buffer.byteLength(database);
      if (bytes === 0) return 'Enter a name';
      if (bytes > MAX_NAME_BYTES) return `Names are limited to ${MAX_NAME_BYTES} bytes`;
      planTarget(session, { kind: 'beside', database });
      return undefined;
    },
  });
}

function requestOf({ plan, consent }: BackupWizard): JobRequest | undefined {
  if (!plan) return undefined;
  if (plan.target.kind === 'drill') return { kind: 'drill', plan };
  return { kind: 'restore', plan, consent: plan.target.kind === 'live' ? consent : NO_CONSENT };
}

/** What replacing the live database means. */
function consequences({ plan, consent }: BackupWizard): string[] {
  return [
    `All data in ${plan?.database} is replaced. Until the final swap nothing is changed and the job can be cancelled.`,
    consent.safety_backup
      ? 'A safety backup is made first.'
      : 'NO safety backup is made: this cannot be undone.',
    consent.end_sessions ? 'Connected sessions are terminated.' : '',
    consent.stop_app && plan?.app?.running ? `${plan.app.name} is stopped during the restore.` : '',
  ].filter(Boolean);
}

function questionOf(wizard: BackupWizard): Pick<
  DialogState,
  'title' | 'tone' | 'lines' | 'confirmation' | 'typed'
> & {
  key: string;
  action: string;
} {
  const { plan } = wizard;
  if (replacesDatabase(wizard)) {
    return {
      title: `Replace the database ${plan?.database}?`,
      tone: 'bad',
      lines: consequences(wizard),
      confirmation: plan?.database ?? '',
      typed: '',
      key: 'ctrl-y',
      action: 'Replace database',
    };
  }
  const drill = plan?.target.kind === 'drill';
  return {
    title: drill ? 'Start the drill?' : `Restore into ${plan?.database}?`,
    tone: 'info',
    lines: [
      drill
        ? 'The live database is not changed; the scratch database is dropped afterwards.'
        : 'The live database is not changed.',
    ],
    key: 'y',
    action: drill ? 'Start drill' : 'Restore',
  };
}

function confirm(session: Session, wizard: BackupWizard) {
  const request = requestOf(wizard);
  if (!request) return;
  const { key, action, ...question } = questionOf(wizard);
  openDialog(session, {
    ...question,
    options: [
      { key: 'esc', label: 'Cancel', safe: true, run: () => {} },
      { key, label: action, safe: false, run: () => startAndShow(session, request) },
    ],
  });
}

/** Applies a choice of the current page. */
export function applyBackupChoice(session: Session, wizard: BackupWizard, id: string) {
  const { consent } = wizard;
  switch (id) {
    case 'next':
      return wizard.step === 'file' ? session.wizard.change({ step: 'target' }) : confirm(session, wizard);
    case 'drill':
    case 'live':
      return planTarget(session, { kind: id });
    case 'beside':
      return promptDatabaseName(session);
    case 'again':
      return planBackup(session, wizard);
    case 'no_owner':
      return session.wizard.change({ no_owner: !wizard.no_owner });
    case 'safety_backup':
    case 'end_sessions':
    case 'stop_app':
      return session.wizard.change({ consent: { ...consent, [id]: !consent[id] } });
  }
}
