import type { JobEvent } from '../../core/index.ts';
import { baseName } from '../text/text.ts';
import type { VerificationResult } from '../view/types.ts';

/** The last verification result of every file that was verified in this session. */
export interface VerificationResults {
  /** By base name of the file, and by target of the verification. */
  state(): ReadonlyMap<string, VerificationResult>;
  apply(event: JobEvent): void;
}

export function createVerificationResults(): VerificationResults {
  const verifying = new Set<string>();
  let state: ReadonlyMap<string, VerificationResult> = new Map();

  function add(event: Extract<JobEvent, { event: 'job:item' }>): void {
    const { item, ok, message, error, details = {} } = event;
    const quick = ok && details.checksum === null;
    const result = { at: Date.parse(event.time), ok, quick, message, hint: error?.hint };
    const names = [baseName(item), details.target].filter((name) => typeof name === 'string');
    // A quick check that passes proves less than a full verification that passed before it.
    const provenBefore = (name: string) => quick && state.get(name)?.ok && !state.get(name)?.quick;
    const replaced = names.filter((name) => !provenBefore(name));
    state = new Map([...state, ...replaced.map((name) => [name, result] as const)]);
  }

  /** Drops results of files that a job has written since. */
  function dropStale({ children }: Record<string, unknown>): void {
    if (!Array.isArray(children)) return;
    const files = children as { archive_id: string; storage_path: string }[];
    const written = new Set(
      files.flatMap(({ archive_id, storage_path }) => [archive_id, baseName(storage_path)]),
    );
    state = new Map([...state].filter(([name]) => !written.has(name)));
  }

  return {
    state: () => state,
    apply(event) {
      if (event.event === 'job:done') dropStale({ ...event.result });
      if (event.event === 'job:started' && event.kind === 'verify') verifying.add(event.job);
      if (event.event === 'job:item' && verifying.has(event.job)) add(event);
    },
  };
}
