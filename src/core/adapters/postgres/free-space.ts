import { statfs } from 'node:fs/promises';
import type { CallOptions } from '../../ports/types.ts';
import { docker } from '../docker/compose.ts';

const THIS_MACHINE = /^(localhost|127\.\d+\.\d+\.\d+|::1|\/.*)$/;

/** Free bytes on the file system of a PostgreSQL server's data; null if unknown. */
export async function serverFreeBytes(
  { host, compose_dir }: { host: string; compose_dir: string | undefined },
  dataFolder: string | undefined,
  options?: CallOptions,
): Promise<number | null> {
  if (dataFolder === undefined) return null;
  if (compose_dir !== undefined) return containerFreeBytes(compose_dir, dataFolder, options);
  if (!THIS_MACHINE.test(host)) return null;
  // If the port is forwarded from another machine, the folder does not exist here.
  return statfs(dataFolder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}

async function containerFreeBytes(
  dir: string,
  folder: string,
  options?: CallOptions,
): Promise<number | null> {
  const text = await docker(['compose', 'exec', '-T', 'postgres', 'df', '-Pk', folder], dir, options);
  const kib = /\s(\d+)\s+\d+%\s/.exec(text?.split('\n')[1] ?? '')?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
