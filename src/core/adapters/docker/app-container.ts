import { BifractError } from '../../contract/errors.ts';
import type { AppContainer } from '../../ports/database-server.ts';
import { findContainer, hasProject } from './compose.ts';

const SERVICE = 'bifract';
const TIMEOUT_MS = 180_000;

/** The server's container in the Compose project of `dir`; undefined if there is no project, or no such service. */
export async function findApp(dir: string): Promise<AppContainer | undefined> {
  if (!(await hasProject(dir))) return undefined;
  const services = await compose(dir, ['config', '--services']).catch(() => '');
  if (!services.split('\n').includes(SERVICE)) return undefined;
  return {
    name: SERVICE,
    running: async (options) => (await findContainer(SERVICE, dir, options)) !== undefined,
    stop: async () => void (await compose(dir, ['stop', SERVICE])),
    start: async () => void (await compose(dir, ['start', SERVICE])),
  };
}

async function compose(dir: string, args: string[]): Promise<string> {
  const { execa } = await import('execa');
  const { failed, stdout, stderr } = await execa('docker', ['compose', ...args], {
    cwd: dir,
    reject: false,
    stdin: 'ignore',
    timeout: TIMEOUT_MS,
  });
  if (!failed) return stdout ?? '';
  const lines = (stderr ?? '').trim().split('\n').slice(-3).join(' ');
  throw new BifractError('PROGRAM_MISSING', `docker compose ${args.join(' ')} failed: ${lines}`, {
    hint: 'Stop or start the container yourself, and pass --no-stop-app.',
  });
}
