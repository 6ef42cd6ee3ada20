import { DiskFile } from '../files/disk-file.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { ownIdentity } from './process-identity.ts';
import { temporaryName } from './temporary-files.ts';

/** Replaces a file of the state by a value, atomically and durably. */
export async function replaceState(folder: OpenFolder, name: string, value: unknown): Promise<void> {
  const temporary = temporaryName(name, await ownIdentity());
  const file = await DiskFile.create(folder, temporary);
  try {
    await file.write(Buffer.from(`${JSON.stringify(value)}\n`));
    await file.finish();
    await folder.rename(temporary, name);
  } catch (error) {
    await file.remove();
    throw error;
  }
  await folder.sync();
}
