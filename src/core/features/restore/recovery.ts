import { BifractError } from '../../contract/errors.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isScratchName } from './scratch-database.ts';

/**
 * Cleans up after an interrupted restore or drill: drops the databases it created or set aside (the live one
 * never has such a name) and starts the server container again. What fails does not keep the rest from being tried; the
 * first error is thrown afterwards. Returns one sentence per action.
 */
export async function recoverRestore(
  services: Pick<Services, 'server' | 'app'>,
  { databases = [], app_stopped }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  const errors: unknown[] = [];
  const attempt = (work: Promise<void>) => work.catch((error: unknown) => void errors.push(error));
  // First what people wait for.
  if (app_stopped) await attempt(startApp(services, done, options));
  for (const name of databases.filter(isScratchName)) await attempt(drop(services, name, done, options));
  if (errors.length > 0) throw errors[0];
  return done;
}

async function drop(
  services: Pick<Services, 'server'>,
  name: string,
  done: string[],
  options: CallOptions,
): Promise<void> {
  if (await (await services.server()).drop(name, options))
    done.push(`Dropped database ${name} of an interrupted restore`);
}

async function startApp(
  services: Pick<Services, 'app'>,
  done: string[],
  options: CallOptions,
): Promise<void> {
  const app = await services.app();
  if (!app) {
    throw new BifractError(
      'SERVER_UNREACHABLE',
      'Docker does not find the container that a restore stopped',
      {
        hint: 'If the Bifract server is not running, start it: docker compose up -d bifract in the installation directory.',
      },
    );
  }
  if (await app.running(options)) return;
  await app.start(options);
  done.push(`Started ${app.name}, which a restore had stopped`);
}
