import { MemoryStorage } from '../../../../src/core/adapters/storage/memory.ts';
import { storageContract } from '../../../contracts/storage.ts';

storageContract('memory as storage', async () => ({
  storage: new MemoryStorage(),
  close: async () => undefined,
}));
