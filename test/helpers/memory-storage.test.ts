import { storageContract } from '../contracts/storage.ts';
import { MemoryStorage } from './memory-storage.ts';

storageContract('memory as storage', async () => ({
  storage: new MemoryStorage(),
  close: async () => undefined,
}));
