/**
 * Runs the S3 server: `node --import tsx test/helpers/s3/main.ts DIR [PORT] [BUCKET…]`. Credentials are
 * `S3_ACCESS_KEY` and `S3_SECRET_KEY`, by default those of the tests.
 */
import { S3Server, TEST_CREDENTIALS } from './server.ts';

const [dir, port = '0', ...buckets] = process.argv.slice(2);
if (!dir) throw new Error('Missing argument: DIR');
const server = await S3Server.start({
  dir,
  port: Number(port),
  buckets,
  access_key: process.env.S3_ACCESS_KEY ?? TEST_CREDENTIALS.access_key,
  secret_key: process.env.S3_SECRET_KEY ?? TEST_CREDENTIALS.secret_key,
});
process.stdout.write(`${server.url}\n`);
