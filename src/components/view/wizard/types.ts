import type {
  ArchiveRestorePlan,
  ErrorReport,
  RestoreConsent,
  RestoreMethod,
  RestorePlan,
  RestoreTarget,
} from '../../../core/index.ts';
import type { Line, Tone } from '../../text/line.ts';

/** A choice on a page of a wizard. */
export interface WizardChoice {
  /** What it stands for, if choices may be added or removed while they are shown. */
  id?: string;
  label: string;
  effect: WizardEffect;
  /** Explanation, one or two sentences. */
  description?: string;
  /** State of a checkbox or radio button; undefined for a plain choice. */
  checked?: boolean;
  /** A radio button: one of several choices. */
  exclusive?: true;
  tone?: Tone;
  /** Why it is unavailable. */
  disabled?: string;
}

/** What choosing does. */
export type WizardEffect =
  /** Stores choices, and may go to another step. */
  | { do: 'change'; change: WizardChange }
  /** Stores choices, goes to the plan, and makes it. */
  | { do: 'plan'; change?: WizardChange }
  /** Asks for a text. */
  | { do: 'prompt'; text: 'database' | 'fractal' | 'from' | 'to' }
  /** Asks for confirmation of the plan. */
  | { do: 'confirm' };

/** Choices to store. */
export type WizardChange = Partial<Omit<BackupWizard, 'kind' | 'step' | 'plan'>> &
  Partial<Omit<ArchiveWizard, 'kind' | 'step' | 'plan'>> & { step?: WizardState['step'] };

/** The text of a step, and the choices below it. */
export interface WizardContent {
  lines: readonly Line[];
  choices: readonly WizardChoice[];
}

/** The page of the current step. */
export interface WizardPage extends WizardContent {
  title: string;
  step: number;
  steps: number;
}

/** Common to all wizards. */
interface WizardBase {
  /** What is restored: id of a record or a group, or name of a file. */
  source: string;
  /** Index of the choice under the cursor, and its id if it has one: the cursor stays with that. */
  index: number;
  choice?: string;
  /** First visible line of text. */
  top: number;
  /** Progress while a plan is being created: start in milliseconds since the epoch, bytes read, total bytes. */
  planning?: { since: number; read: number; total: number };
  /** Why planning failed. */
  error?: ErrorReport;
}

/** A backup restore in preparation. */
export interface BackupWizard extends WizardBase {
  kind: 'backup';
  step: 'file' | 'target' | 'plan';
  target: RestoreTarget;
  no_owner: boolean;
  no_privileges: boolean;
  no_tablespaces: boolean;
  consent: RestoreConsent;
  plan?: RestorePlan;
}

/** A restore of an archive or a group in preparation. */
export interface ArchiveWizard extends WizardBase {
  kind: 'archive';
  step: 'archive' | 'into' | 'rows' | 'how' | 'plan';
  /** Id of the target fractal. */
  into?: string;
  /** Name of a fractal to create as the target. */
  into_new?: string;
  /** Time range: from (inclusive) to (exclusive). */
  from?: string;
  to?: string;
  replace: boolean;
  via: RestoreMethod;
  plan?: ArchiveRestorePlan;
}

export type WizardState = BackupWizard | ArchiveWizard;
