import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isScratchName } from './scratch-database.ts';

/**
 * Cleans up after an interrupted restore or drill: drops the databases it created or set aside (the live one
 * never has such a name) and starts the server container again. Returns one sentence per action.
 */
export async function recoverRestore(
  services: Pick<Services, 'server' | 'app'>,
  { databases = [], app_stopped }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const name of databases.filter(isScratchName)) {
    if (await (await services.server()).drop(name, options))
      done.push(`Dropped database ${name} of an interrupted restore`);
  }
  const app = app_stopped ? await services.app() : undefined;
  if (app && !(await app.running(options))) {
    await app.start(options);
    done.push(`Started ${app.name}, which a restore had stopped`);
  }
  return done;
}
