import { restoreKey } from '../features/archive-restore/checkpoint.ts';
import { recoverRestores } from '../features/archive-restore/recovery.ts';
import type { Services } from '../ports/services.ts';
import type { CallOptions } from '../ports/types.ts';
import type { JobRequest } from './jobs.ts';
import { recover } from './recover.ts';

/**
 * Recovers from interrupted processes, one process at a time. Leaves what `request` resumes. Returns one
 * sentence per action.
 */
export async function recoverAll(
  services: Services,
  request?: JobRequest,
  options: CallOptions = {},
): Promise<string[]> {
  // A failure here shows up when the first record is written.
  await services.state.cleanUp().catch(() => undefined);
  if ((await services.state.interrupted()).length === 0) return [];
  return services.state.exclusive(
    async () => [
      ...(await recover(services, options)),
      ...(await recoverRestores(services, { except: resumedBy(request), now: services.now() }, options)),
    ],
    options,
  );
}

/** The key of the interrupted restore that a request resumes: recovery leaves it alone. */
function resumedBy(request: JobRequest | undefined): string | undefined {
  return request?.kind === 'restore-archive' ? restoreKey(request.plan) : undefined;
}
