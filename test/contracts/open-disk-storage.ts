import { DiskStorage } from '../../src/core/adapters/disk/storage.ts';

/** Opens a folder in another process, for the storage contract. */
export function open(location: string): DiskStorage {
  return new DiskStorage(location);
}
