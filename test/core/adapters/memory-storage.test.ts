import { MemoryStorage } from '../../../src/core/adapters/memory-storage.ts';
import { storageContract } from '../../contracts/storage.ts';

storageContract('memory as storage', async () => ({
  storage: new MemoryStorage(),
  close: async () => undefined,
}));
