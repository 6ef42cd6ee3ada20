import type { JobRequest, RestoreTarget } from '../../core/index.ts';
import type { DialogState } from '../view/types.ts';
import { replacesDatabase } from '../view/wizard/backup-pages.ts';
import type { BackupWizard } from '../view/wizard/types.ts';
import { ask, askLine } from './deeds.ts';
import { carryOut } from './planned.ts';
import type { Session } from './session.ts';

const NO_CONSENT = { safety_backup: false, end_sessions: false, stop_app: false } as const;
/** The most bytes that PostgreSQL keeps of a name. */
const NAME_BYTES = 63;

/** The restore of a backup, before anything is chosen. */
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

/** Makes the plan of what was chosen. */
export function planBackup(session: Session, { source, target, no_owner }: BackupWizard) {
  const query = { file: source, target, no_owner };
  session.wizard.plan((signal, onProgress) => session.engine.planRestore(query, { signal, onProgress }));
}

function goTo(session: Session, target: RestoreTarget) {
  session.wizard.change({ step: 'plan', target });
  const wizard = session.wizard.state();
  if (wizard?.kind === 'backup') planBackup(session, wizard);
}

function askName(session: Session) {
  askLine(session, {
    sign: 'database',
    hint: 'a name that does not exist yet',
    text: 'bifract_restored',
    take(text) {
      const database = text.trim();
      const bytes = Buffer.byteLength(database);
      if (bytes === 0) return 'It needs a name';
      if (bytes > NAME_BYTES) return `A name has at most ${NAME_BYTES} bytes`;
      goTo(session, { kind: 'beside', database });
      return undefined;
    },
  });
}

function requestOf({ plan, consent }: BackupWizard): JobRequest | undefined {
  if (!plan) return undefined;
  if (plan.target.kind === 'drill') return { kind: 'drill', plan };
  return { kind: 'restore', plan, consent: plan.target.kind === 'live' ? consent : NO_CONSENT };
}

/** What happens to whoever uses the live database. */
function consequences({ plan, consent }: BackupWizard): string[] {
  return [
    `Everything that ${plan?.database} holds now is replaced. Until the last moment nothing of it is changed, and the job can be cancelled.`,
    consent.safety_backup
      ? 'It is backed up right before.'
      : 'It is NOT backed up before: there is no way back.',
    consent.end_sessions ? 'Whoever is connected then is thrown out.' : '',
    consent.stop_app && plan?.app?.running ? `${plan.app.name} is stopped meanwhile.` : '',
  ].filter(Boolean);
}

function questionOf(
  wizard: BackupWizard,
): Pick<DialogState, 'title' | 'tone' | 'lines' | 'word' | 'typed'> & { key: string; deed: string } {
  const { plan } = wizard;
  if (replacesDatabase(wizard)) {
    return {
      title: `Replace the database ${plan?.database}?`,
      tone: 'bad',
      lines: consequences(wizard),
      word: plan?.database ?? '',
      typed: '',
      key: 'ctrl-y',
      deed: 'Replace it',
    };
  }
  const drill = plan?.target.kind === 'drill';
  return {
    title: drill ? 'Begin the drill?' : `Restore into ${plan?.database}?`,
    tone: 'info',
    lines: [
      drill
        ? 'The live database is not touched, and nothing is left of it.'
        : 'The live database is not touched.',
    ],
    key: 'y',
    deed: drill ? 'Begin the drill' : 'Restore',
  };
}

function confirm(session: Session, wizard: BackupWizard) {
  const request = requestOf(wizard);
  if (!request) return;
  const { key, deed, ...question } = questionOf(wizard);
  ask(session, {
    ...question,
    options: [
      { key: 'esc', label: 'Not yet, nothing happens', safe: true, run: () => {} },
      { key, label: deed, safe: false, run: () => carryOut(session, request) },
    ],
  });
}

/** Takes a choice of the page that is shown. */
export function takeOfBackup(session: Session, wizard: BackupWizard, id: string) {
  const { consent } = wizard;
  switch (id) {
    case 'next':
      return wizard.step === 'file' ? session.wizard.change({ step: 'target' }) : confirm(session, wizard);
    case 'drill':
    case 'live':
      return goTo(session, { kind: id });
    case 'beside':
      return askName(session);
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
