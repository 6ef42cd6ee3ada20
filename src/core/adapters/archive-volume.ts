import { docker, hasProject } from './container.ts';

const VOLUME = 'bifract-archives';

/**
 * The folder on this machine of the Docker volume that holds archives; undefined where there is no Docker or
 * no such volume. Compose puts the project's name before the volume's unless told otherwise, so it is looked
 * for by its label as well.
 */
export async function findArchiveVolume(dir: string): Promise<string | undefined> {
  if (!(await hasProject(dir))) return undefined;
  const named = await mountPoint(dir, VOLUME);
  if (named !== undefined) return named;
  const labels = ['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.volume=${VOLUME}`];
  const found = (await docker(labels, dir))?.split('\n').filter(Boolean) ?? [];
  const own = found.length === 1 ? found[0] : undefined;
  return own === undefined ? undefined : mountPoint(dir, own);
}

async function mountPoint(dir: string, volume: string): Promise<string | undefined> {
  return (
    (await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', volume], dir))?.trim() || undefined
  );
}
