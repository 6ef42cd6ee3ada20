import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import { storageContract } from '../../../contracts/storage.ts';
import { labSettings, startLab } from '../../../helpers/s3/lab.ts';

for (const conditional of [true, false]) {
  storageContract(`S3 as storage, ${conditional ? 'with' : 'without'} conditional writes`, async () => {
    const { server, stop } = await startLab({ conditional });
    const settings = labSettings(server.url);
    return {
      storage: openS3Storage(settings),
      close: stop,
      reopen: {
        module: new URL('../../../contracts/open-s3-storage.ts', import.meta.url),
        location: JSON.stringify(settings),
        bytes: 40 << 20,
      },
    };
  });
}
