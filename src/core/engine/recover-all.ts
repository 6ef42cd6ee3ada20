import type { CallOptions } from '../ports/types.ts';
import type { JobRequest } from './contract.ts';
import { recover } from './recover.ts';
import type { Services } from './services.ts';
import { recoverArchiveRestores } from './wire-archive-restore.ts';

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
      ...(await recoverArchiveRestores(services, request, options)),
    ],
    options,
  );
}
