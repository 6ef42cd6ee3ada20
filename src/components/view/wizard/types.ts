import type {
  ArchiveRestorePlan,
  ErrorReport,
  RestoreConsent,
  RestorePlan,
  RestoreTarget,
  RestoreVia,
} from '../../../core/index.ts';
import type { Line, Tone } from '../types.ts';

/** Something that can be chosen on a page of a wizard. */
export interface WizardChoice {
  id: string;
  label: string;
  /** What it means, in a sentence. */
  about?: string;
  /** Of a switch: whether it is on. */
  on?: boolean;
  /** Whether it is one of several, of which one is on. */
  exclusive?: true;
  tone?: Tone;
  /** Why it cannot be chosen now. */
  disabled?: string;
}

/** One step: text that scrolls, and below it what can be chosen. */
export interface WizardPage {
  title: string;
  step: number;
  steps: number;
  lines: readonly Line[];
  choices: readonly WizardChoice[];
}

/** What every wizard has. */
interface Walk {
  /** What is brought back: id of a record or a group, or name of a file. */
  source: string;
  /** Choice under the cursor. */
  index: number;
  /** First line of the text that is shown. */
  top: number;
  /** Since when a plan is being made, and how far its reading is: bytes, ms since the epoch. */
  planning?: { since: number; read: number; total: number };
  /** Why no plan could be made. */
  error?: ErrorReport;
}

/** The restore of a backup, as far as it was chosen. */
export interface BackupWizard extends Walk {
  kind: 'backup';
  step: 'file' | 'target' | 'plan';
  target: RestoreTarget;
  no_owner: boolean;
  consent: RestoreConsent;
  plan?: RestorePlan;
}

/** The restore of an archive or of a group of them, as far as it was chosen. */
export interface ArchiveWizard extends Walk {
  kind: 'archive';
  step: 'archive' | 'into' | 'rows' | 'how' | 'plan';
  /** Id of the fractal that gets the rows. */
  into?: string;
  /** Only rows from (included) and to (excluded) these times. */
  from?: string;
  to?: string;
  replace: boolean;
  via: RestoreVia;
  plan?: ArchiveRestorePlan;
}

export type WizardState = BackupWizard | ArchiveWizard;
