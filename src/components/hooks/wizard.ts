import { asBifractError, BifractError } from '../../core/index.ts';
import type { ArchiveWizard, BackupWizard, WizardState } from '../view/wizard/types.ts';

/** What makes a plan; told of what is read meanwhile, in bytes. */
export type MakePlan<Plan> = (
  signal: AbortSignal,
  onProgress: (read: number, total: number) => void,
) => Promise<Plan>;

/** A file tells of every piece that is read; a screen wants to know some times a second. */
const TELL_MS = 100;

type Change = Partial<Omit<BackupWizard, 'kind' | 'step' | 'plan'>> &
  Partial<Omit<ArchiveWizard, 'kind' | 'step' | 'plan'>> & { step?: WizardState['step'] };

/** The restore that is being prepared: one at a time. It stays as it is while the user looks elsewhere. */
export interface Wizard {
  state(): WizardState | undefined;
  begin(wizard: WizardState): void;
  /** Notes what was chosen. A new step begins with its first choice, at the top of its text. */
  change(change: Change): void;
  /** Makes the plan of what was chosen, in place of one that is being made. */
  plan(make: MakePlan<NonNullable<WizardState['plan']>>): void;
  /** Stops the making of a plan; false where none is made. */
  stop(): boolean;
  end(): void;
}

export function createWizard(changed: () => void): Wizard {
  let state: WizardState | undefined;
  let making: AbortController | undefined;

  function put(next: WizardState | undefined): void {
    state = next;
    changed();
  }

  function patch(change: object): void {
    if (state) put({ ...state, ...change });
  }

  function stop(): boolean {
    const running = making !== undefined;
    making?.abort(new BifractError('CANCELLED', 'Stopped'));
    making = undefined;
    if (running) patch({ planning: undefined });
    return running;
  }

  return {
    state: () => state,
    begin(wizard) {
      stop();
      put(wizard);
    },
    change(change) {
      patch(change.step === undefined ? change : { index: 0, top: 0, error: undefined, ...change });
    },
    async plan(make) {
      stop();
      const controller = new AbortController();
      making = controller;
      const { signal } = controller;
      patch({
        index: 0,
        top: 0,
        plan: undefined,
        error: undefined,
        planning: { since: Date.now(), read: 0, total: 0 },
      });
      let told = 0;
      const onProgress = (read: number, total: number) => {
        if (signal.aborted || !state?.planning || Date.now() - told < TELL_MS) return;
        told = Date.now();
        patch({ planning: { ...state.planning, read, total } });
      };
      try {
        const plan = await make(signal, onProgress);
        // The last choice goes on: an Enter too many must not switch something off.
        if (!signal.aborted) patch({ plan, planning: undefined, index: Number.MAX_SAFE_INTEGER });
      } catch (error) {
        if (!signal.aborted) patch({ error: asBifractError(error).report(), planning: undefined });
      }
      if (making === controller) making = undefined;
    },
    stop,
    end() {
      stop();
      put(undefined);
    },
  };
}
