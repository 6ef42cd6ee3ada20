import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import { storageContract } from '../../../contracts/storage.ts';
import { startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';

for (const conditional of [true, false]) {
  storageContract(`S3 as storage, ${conditional ? 'with' : 'without'} conditional writes`, async () => {
    const { server, stop } = await startS3Server({ conditional });
    const settings = testS3Settings(server.url);
    return {
      storage: openS3Storage(settings),
      close: stop,
      reopen: {
        location: JSON.stringify(settings),
        bytes: 40 << 20,
      },
    };
  });
}
