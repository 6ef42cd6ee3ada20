/**
 * The S3 server by itself: `node --import tsx test/helpers/s3/main.ts DIR [PORT] [BUCKET…]`. Its credentials are
 * those of the tests, or `S3_ACCESS_KEY` and `S3_SECRET_KEY`.
 */
import { LAB, S3Server } from './server.ts';

const [dir, port = '0', ...buckets] = process.argv.slice(2);
if (!dir) throw new Error('Which folder?');
const server = await S3Server.start({
  dir,
  port: Number(port),
  buckets,
  access_key: process.env.S3_ACCESS_KEY ?? LAB.access_key,
  secret_key: process.env.S3_SECRET_KEY ?? LAB.secret_key,
});
process.stdout.write(`${server.url}\n`);
