import { asBifractError, BifractError } from '../../../core/index.ts';
import type { WizardChange, WizardState } from '../../view/wizard/types.ts';

/** Makes a plan; reports the bytes read so far. */
export type MakePlan<Plan> = (
  signal: AbortSignal,
  onProgress: (read: number, total: number) => void,
) => Promise<Plan>;

/** Progress is reported per chunk, but shown only this often. */
const PROGRESS_MS = 100;

/** The restore that is being prepared: one at a time. It is kept while the user is on another screen. */
export interface Wizard {
  state(): WizardState | undefined;
  open(wizard: WizardState): void;
  /** Stores choices. A new step starts at its first choice and the top of its text. */
  change(change: WizardChange): void;
  /** Makes the plan; stops a planning that is running. */
  plan(make: MakePlan<NonNullable<WizardState['plan']>>): void;
  /** Stops the running planning; false if there is none. */
  stop(): boolean;
  /** Stops planning and discards the wizard. */
  close(): void;
}

export function createWizard(changed: () => void): Wizard {
  let state: WizardState | undefined;
  let planning: AbortController | undefined;

  function put(next: WizardState | undefined): void {
    state = next;
    changed();
  }

  function patch(change: object): void {
    if (state) put({ ...state, ...change });
  }

  function stop(): boolean {
    const running = planning !== undefined;
    planning?.abort(new BifractError('CANCELLED', 'Stopped'));
    planning = undefined;
    if (running) patch({ planning: undefined });
    return running;
  }

  return {
    state: () => state,
    open(wizard) {
      stop();
      put(wizard);
    },
    change(change) {
      const start = { index: 0, choice: undefined, top: 0, error: undefined };
      patch(change.step === undefined ? change : { ...start, ...change });
    },
    async plan(make) {
      stop();
      const controller = new AbortController();
      planning = controller;
      const { signal } = controller;
      patch({
        index: 0,
        choice: undefined,
        top: 0,
        plan: undefined,
        error: undefined,
        planning: { since: Date.now(), read: 0, total: 0 },
      });
      let reportedAt = 0;
      const onProgress = (read: number, total: number) => {
        if (signal.aborted || !state?.planning || Date.now() - reportedAt < PROGRESS_MS) return;
        reportedAt = Date.now();
        patch({ planning: { ...state.planning, read, total } });
      };
      try {
        const plan = await make(signal, onProgress);
        // Focus the last choice (continue), so that an accidental Enter does not toggle an option.
        if (!signal.aborted) patch({ plan, planning: undefined, index: Number.MAX_SAFE_INTEGER });
      } catch (error) {
        if (!signal.aborted) patch({ error: asBifractError(error).report(), planning: undefined });
      }
      if (planning === controller) planning = undefined;
    },
    stop,
    close() {
      stop();
      put(undefined);
    },
  };
}
