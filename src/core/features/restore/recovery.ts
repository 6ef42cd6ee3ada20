import { BifractError } from '../../contract/errors.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isScratchName } from './scratch-database.ts';

/** What records of version 0.2.0 and before mean: they do not name it. */
const SERVER = 'bifract';

/**
 * Cleans up after an interrupted restore or drill: drops the databases it created or set aside (the live one never has
 * such a name) and starts the containers again that it stopped. What fails does not keep the rest from being tried; the
 * first error is thrown afterwards. Returns one sentence per action.
 */
export async function recoverRestore(
  services: Pick<Services, 'server' | 'containers'>,
  { databases = [], app_stopped, containers_stopped }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  const errors: unknown[] = [];
  const attempt = (work: Promise<void>) => work.catch((error: unknown) => void errors.push(error));
  // First what people wait for.
  for (const name of (containers_stopped ?? (app_stopped ? [SERVER] : [])).toReversed())
    await attempt(start(services, name, done, options));
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

async function start(
  services: Pick<Services, 'containers'>,
  name: string,
  done: string[],
  options: CallOptions,
): Promise<void> {
  const container = (await services.containers()).find((one) => one.name === name);
  if (!container) {
    throw new BifractError(
      'SERVER_UNREACHABLE',
      `Docker does not find the container ${name}, which a restore stopped`,
      { hint: `If it is not running, start it: docker compose up -d ${name} in the installation directory.` },
    );
  }
  if (await container.running(options)) return;
  await container.start(options);
  done.push(`Started ${name}, which a restore had stopped`);
}
