import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import { QUICK_RETRIES, startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';

const CERT = fileURLToPath(new URL('../../../fixtures/s3/cert.pem', import.meta.url));
const KEY = fileURLToPath(new URL('../../../fixtures/s3/key.pem', import.meta.url));

let lab: Awaited<ReturnType<typeof startS3Server>>;
let tls: ReturnType<typeof createTlsServer>;
let https: string;

before(async () => {
  lab = await startS3Server();
  const port = Number(new URL(lab.server.url).port);
  tls = createTlsServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, (socket) => {
    const inner = connect(port, '127.0.0.1');
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) end.on('error', () => undefined);
  });
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  https = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
});

after(async () => {
  tls.close();
  await lab.stop();
});

/** A proxy that tunnels, and records the requested hosts. */
async function startProxy(): Promise<{ server: Server; url: string; hosts: string[] }> {
  const hosts: string[] = [];
  const server = createServer((request, response) => {
    hosts.push(`GET ${new URL(request.url ?? '').host}`);
    response.writeHead(502).end();
  });
  server.on('connect', ({ url = '' }, socket: Socket) => {
    hosts.push(`CONNECT ${url}`);
    const { hostname, port } = new URL(`http://${url}`);
    const inner = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) end.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://user:geheim@127.0.0.1:${(server.address() as AddressInfo).port}`, hosts };
}

test('a certificate of an unknown CA is refused, and one from the CA file is trusted', async () => {
  const refused = await openS3Storage(testS3Settings(https), { retry: QUICK_RETRIES }).probe();
  assert.equal(refused.ok, false);
  assert.match(refused.detail, /certificate.*BIFRACT_S3_CA_FILE/s);
  const trusted = await openS3Storage(testS3Settings(https, { ca_file: CERT }), {
    retry: QUICK_RETRIES,
  }).probe();
  assert.equal(trusted.ok, true, trusted.detail);
});

test('https to a service without TLS is reported', async () => {
  const endpoint = lab.server.url.replace('http:', 'https:');
  const health = await openS3Storage(testS3Settings(endpoint), { retry: QUICK_RETRIES }).probe();
  assert.match(health.detail, /TLS.*BIFRACT_S3_ENDPOINT.*https/s);
});

test('a proxy is used, unless the host is exempt', async (t) => {
  const proxy = await startProxy();
  t.after(() => {
    proxy.server.closeAllConnections();
    proxy.server.close();
  });
  const settings = { ca_file: CERT, proxy: { https: proxy.url, http: proxy.url, no_proxy: undefined } };
  const through = await openS3Storage(testS3Settings(https, settings), { retry: QUICK_RETRIES }).probe();
  if (through.detail.includes(`Node ${process.versions.node}`)) return t.diagnostic(through.detail);
  assert.equal(through.ok, true, through.detail);
  assert.ok(proxy.hosts.includes(`CONNECT ${new URL(https).host}`), proxy.hosts.join());
  proxy.hosts.length = 0;
  const exempt = { ...settings, proxy: { ...settings.proxy, no_proxy: '127.0.0.1' } };
  assert.equal(
    (await openS3Storage(testS3Settings(https, exempt), { retry: QUICK_RETRIES }).probe()).ok,
    true,
  );
  assert.deepEqual(proxy.hosts, []);
});

test('a host that accepts and never responds times out', async (t) => {
  const sockets: Socket[] = [];
  const silent = createNetServer((socket) => sockets.push(socket));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const health = await openS3Storage(testS3Settings(endpoint), { retry: QUICK_RETRIES }).probe();
  assert.equal(health.ok, false);
  assert.match(health.detail, /timed out/);
});
