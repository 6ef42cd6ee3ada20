import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type { AppContainer } from '../../ports/database-server.ts';
import type { CallOptions } from '../../ports/types.ts';

const QUERY_TIMEOUT_MS = 15_000;
const CONTROL_TIMEOUT_MS = 180_000;
const COMPOSE_FILES = ['docker-compose.yml', 'docker-compose.yaml', 'compose.yaml', 'compose.yml'];
/** Services that write to PostgreSQL, in the order to stop them: the server last, as the others use it. */
const WRITING_SERVICES = ['bifract-ingest', 'bifract-archiver', 'bifract-archiver-maintain', 'bifract'];
/** Also finds services that were started with a profile. */
const ALL_PROFILES = { COMPOSE_PROFILES: '*' };
const ARCHIVE_VOLUME = 'bifract-archives';

/** A running container of the installation. */
export interface Container {
  id: string;
  name: string;
  /** Its address on Docker's network; undefined if it has none. */
  address: string | undefined;
}

/**
 * The running container of a service of the Compose project in `dir`; undefined without a project, Docker, or such a
 * container.
 */
export async function findContainer(
  service: string,
  dir: string,
  options?: CallOptions,
): Promise<Container | undefined> {
  if (!(await hasProject(dir))) return undefined;
  const ids = await docker(['compose', 'ps', '--quiet', service], dir, options);
  const id = ids?.split('\n')[0]?.trim();
  if (!id) return undefined;
  const text = await docker(['inspect', id], dir, options);
  return text === undefined ? undefined : describe(id, JSON.parse(text));
}

interface Inspected {
  Name?: string;
  State?: { Running?: boolean };
  NetworkSettings?: { Networks?: Record<string, { IPAddress?: string }> };
}

function describe(id: string, [found]: Inspected[]): Container | undefined {
  if (!found?.State?.Running) return undefined;
  const networks = Object.values(found.NetworkSettings?.Networks ?? {});
  const address = networks.map(({ IPAddress }) => IPAddress).find(Boolean);
  return { id, name: (found.Name ?? id).replace(/^\//, ''), address };
}

/**
 * The containers of the Compose project in `dir` that write to PostgreSQL, in the order to stop them; empty without a
 * project or such services.
 */
export async function findWritingContainers(dir: string): Promise<AppContainer[]> {
  if (!(await hasProject(dir))) return [];
  const listed = await control(dir, ['config', '--services']).catch(() => '');
  const services = new Set(listed.split('\n').map((line) => line.trim()));
  return WRITING_SERVICES.filter((service) => services.has(service)).map((name) => ({
    name,
    running: async (options) => (await findContainer(name, dir, options)) !== undefined,
    stop: async (options) => void (await control(dir, ['stop', name], options)),
    async start(options) {
      await control(dir, ['start', name], options).catch((error: unknown) => {
        throw notStarted(dir, name, error);
      });
      // Compose reports success for a container that ends at once.
      if ((await findContainer(name, dir, options)) === undefined) throw notStarted(dir, name);
    },
  }));
}

function notStarted(dir: string, name: string, cause?: unknown): unknown {
  if (cause !== undefined && !(cause instanceof BifractError)) return cause;
  const reason = cause ? cause.message : `Container ${name} ended as soon as it was started`;
  return new BifractError('SERVER_UNREACHABLE', reason, {
    hint: `See its log, then start it yourself: docker compose up -d ${name} in ${dir}`,
    cause,
  });
}

async function control(dir: string, args: string[], { signal }: CallOptions = {}): Promise<string> {
  const { execa } = await import('execa');
  const { failed, stdout, stderr } = await execa('docker', ['compose', ...args], {
    cwd: dir,
    env: ALL_PROFILES,
    reject: false,
    stdin: 'ignore',
    timeout: CONTROL_TIMEOUT_MS,
    cancelSignal: signal,
  });
  signal?.throwIfAborted();
  if (!failed) return stdout ?? '';
  const lines = (stderr ?? '').trim().split('\n').slice(-3).join(' ');
  throw new BifractError('PROGRAM_MISSING', `docker compose ${args.join(' ')} failed: ${lines}`, {
    hint: 'Stop or start the container yourself, and restore without stopping it (--no-stop-app).',
  });
}

/**
 * The local folder of the Docker volume with the archives; undefined without Docker or without such a volume. By default
 * Compose prefixes the volume with the project name, so it is also looked up by its label.
 */
export async function findArchiveVolume(dir: string): Promise<string | undefined> {
  if (!(await hasProject(dir))) return undefined;
  const named = await mountPoint(dir, ARCHIVE_VOLUME);
  if (named !== undefined) return named;
  const labels = ['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.volume=${ARCHIVE_VOLUME}`];
  const found = (await docker(labels, dir))?.split('\n').filter(Boolean) ?? [];
  const labeled = found.length === 1 ? found[0] : undefined;
  return labeled === undefined ? undefined : mountPoint(dir, labeled);
}

async function mountPoint(dir: string, volume: string): Promise<string | undefined> {
  return (
    (await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', volume], dir))?.trim() || undefined
  );
}

async function hasProject(dir: string): Promise<boolean> {
  const found = await Promise.allSettled(COMPOSE_FILES.map((file) => access(join(dir, file))));
  return found.some(({ status }) => status === 'fulfilled');
}

/** The output of a docker command; undefined if it fails. */
export async function docker(
  args: string[],
  cwd: string,
  { signal }: CallOptions = {},
): Promise<string | undefined> {
  const { execa } = await import('execa');
  const result = await execa('docker', args, {
    cwd,
    env: ALL_PROFILES,
    reject: false,
    stdin: 'ignore',
    timeout: QUERY_TIMEOUT_MS,
    cancelSignal: signal,
  });
  signal?.throwIfAborted();
  return result.failed ? undefined : result.stdout;
}
