import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions } from '../../ports/types.ts';

const TIMEOUT_MS = 15_000;
const COMPOSE_FILES = ['docker-compose.yml', 'docker-compose.yaml', 'compose.yaml', 'compose.yml'];

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

/** Whether the folder contains a Compose project. */
export async function hasProject(dir: string): Promise<boolean> {
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
    reject: false,
    stdin: 'ignore',
    timeout: TIMEOUT_MS,
    cancelSignal: signal,
  });
  signal?.throwIfAborted();
  return result.failed ? undefined : result.stdout;
}
