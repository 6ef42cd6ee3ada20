import type { AppContainer, DatabaseServer } from '../ports/database-server.ts';
import type { JobNote } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { isScratchName } from './scratch.ts';

export interface UndoDeps {
  server(): Promise<DatabaseServer>;
  app(): Promise<AppContainer | undefined>;
}

/**
 * Cleans up after a restore or drill that died: the databases that it made, or set aside, go (the live one never bears
 * such a name), and the server's container runs again. Returns a sentence for each thing done.
 */
export async function undoRestore(
  deps: UndoDeps,
  { databases = [], app_stopped }: JobNote,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const name of databases.filter(isScratchName)) {
    if (await (await deps.server()).drop(name, options))
      done.push(`Dropped the database ${name} of a restore that was interrupted`);
  }
  const app = app_stopped ? await deps.app() : undefined;
  if (app && !(await app.running(options))) {
    await app.start(options);
    done.push(`Started ${app.name} again, which a restore had stopped`);
  }
  return done;
}
