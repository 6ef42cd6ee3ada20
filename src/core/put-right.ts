import { recoverArchiveRestores } from './archive-restore-jobs.ts';
import type { JobRequest } from './engine.ts';
import { recover } from './jobs/recover.ts';
import type { CallOptions } from './ports/types.ts';
import type { Services } from './services.ts';

/**
 * Puts right what dead processes of ours left, while no other process does; what the given request goes on with is left
 * to that. Returns a sentence for each thing done.
 */
export async function putRight(
  services: Services,
  request?: JobRequest,
  options: CallOptions = {},
): Promise<string[]> {
  // What stands in its way is told by the first note that cannot be written.
  await services.state.tidy().catch(() => undefined);
  if ((await services.state.dead()).length === 0) return [];
  return services.state.alone(
    async () => [
      ...(await recover(services, options)),
      ...(await recoverArchiveRestores(services, request, options)),
    ],
    options,
  );
}
