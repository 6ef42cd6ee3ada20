import { docker, hasProject } from './compose.ts';

const VOLUME = 'bifract-archives';

/**
 * The local folder of the Docker volume with the archives; undefined without Docker or without such a volume. By default
 * Compose prefixes the volume with the project name, so it is also looked up by its label.
 */
export async function findArchiveVolume(dir: string): Promise<string | undefined> {
  if (!(await hasProject(dir))) return undefined;
  const named = await mountPoint(dir, VOLUME);
  if (named !== undefined) return named;
  const labels = ['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.volume=${VOLUME}`];
  const found = (await docker(labels, dir))?.split('\n').filter(Boolean) ?? [];
  const labeled = found.length === 1 ? found[0] : undefined;
  return labeled === undefined ? undefined : mountPoint(dir, labeled);
}

async function mountPoint(dir: string, volume: string): Promise<string | undefined> {
  return (
    (await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', volume], dir))?.trim() || undefined
  );
}
