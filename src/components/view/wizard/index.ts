import type { Snapshot } from '../types.ts';
import { archivePageOf } from './archive-pages.ts';
import { backupPageOf } from './backup-pages.ts';
import { layOut, type WizardView } from './layout.ts';
import { failedPage, planningPage } from './planning.ts';
import type { WizardPage, WizardState } from './types.ts';

export type { WizardView } from './layout.ts';
export type { ArchiveWizard, BackupWizard, WizardChoice, WizardPage, WizardState } from './types.ts';

/** The current page of a wizard. */
export function wizardPage(wizard: WizardState, snapshot: Snapshot): WizardPage {
  const page = wizard.kind === 'backup' ? backupPageOf(wizard, snapshot) : archivePageOf(wizard, snapshot);
  if (wizard.planning) return { ...page, ...planningPage(wizard.planning, wizard.kind, snapshot) };
  return wizard.error ? { ...page, ...failedPage(wizard.error, snapshot) } : page;
}

/** Removes the empty lines at the end of a page: the layout adds its own gap. */
function withoutTrailingGap(page: WizardPage): WizardPage {
  return { ...page, lines: page.lines.slice(0, page.lines.findLastIndex((line) => line.length > 0) + 1) };
}

/** The page and its layout on the screen; undefined if there is no wizard. */
export function wizardView(snapshot: Snapshot): { page: WizardPage; view: WizardView } | undefined {
  const { wizard } = snapshot;
  if (!wizard) return undefined;
  const page = withoutTrailingGap(wizardPage(wizard, snapshot));
  return { page, view: layOut(page, wizard, snapshot) };
}
