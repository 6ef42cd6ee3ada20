import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openContent, openStream } from '../../helpers/plain-reader.ts';
import { framedArchive, KEY_HEX, noisyLines } from '../../helpers/sealed.ts';
import { collect } from '../../helpers/streams.ts';

const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const document = readFileSync(root('docs/reference/format.md'), 'utf8');
const backup = root('test/fixtures/vectors/b-backup/pgdump.bifract-backup');
const backupKey = (JSON.parse(readFileSync(`${backup}.json`, 'utf8')) as { key_hex: string }).key_hex;

/** The code block with this file name in its info string. */
function recipe(name: string): string {
  const block = new RegExp(`^\`\`\`\\w+ ${name.replace('.', '\\.')}\\n([^]*?)^\`\`\`$`, 'm').exec(document);
  assert.ok(block, `docs/reference/format.md has no ${name}`);
  return block[1] as string;
}

const has = (...command: [string, ...string[]]) => spawnSync(command[0], command.slice(1)).status === 0;

suite('recipes of docs/reference/format.md', () => {
  let folder: string;
  let archive: Buffer;
  const at = (name: string) => join(folder, name);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recipe-'));
    for (const name of ['recover.mjs', 'recover.py', 'split.sh']) writeFileSync(at(name), recipe(name));
    archive = await collect(framedArchive([noisyLines(0, 300), noisyLines(300, 300)]).bytes);
    writeFileSync(at('archive'), archive);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(command: string, script: string, file: string, key: string): Buffer {
    const env = { ...process.env, BIFRACT_BACKUP_ENCRYPTION_KEY: key };
    return execFileSync(command, [at(script), file], {
      env,
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  test('recover.mjs reads our files and those of the server, and rejects a damaged one', () => {
    const node = process.execPath;
    assert.ok(run(node, 'recover.mjs', at('archive'), KEY_HEX).equals(openStream(archive, KEY_HEX)));
    const content = openStream(readFileSync(backup), backupKey);
    assert.ok(run(node, 'recover.mjs', backup, backupKey).equals(content));
    const damaged = Buffer.from(archive);
    damaged[90_000] = (damaged[90_000] as number) ^ 1;
    writeFileSync(at('damaged'), damaged);
    assert.throws(() => run(node, 'recover.mjs', at('damaged'), KEY_HEX));
  });

  const python = has('python3', '--version') && has('zstd', '--version');
  test('recover.py reads our files and rejects a wrong key', {
    skip: python ? false : 'python3 or zstd is missing',
  }, () => {
    const stream = run('python3', 'recover.py', at('archive'), KEY_HEX);
    writeFileSync(at('stream.zst'), stream);
    const content = execFileSync('zstd', ['-dc', at('stream.zst')], { maxBuffer: 2 ** 28 });
    assert.ok(content.equals(openContent(archive, KEY_HEX)));
    assert.match(stream.subarray(-400).toString('latin1'), /"rows":600,.*"sha256":"[0-9a-f]{64}"/);
    assert.throws(() => run('python3', 'recover.py', at('archive'), backupKey));
  });

  test('split.sh splits a backup into manifest and dump', { skip: process.platform === 'win32' }, () => {
    writeFileSync(at('content'), openContent(readFileSync(backup), backupKey));
    execFileSync('sh', [at('split.sh'), at('content')]);
    assert.equal(
      (JSON.parse(readFileSync(at('manifest.json'), 'utf8')) as { type: string }).type,
      'postgres',
    );
    const dump = readFileSync(root('test/fixtures/vectors/b-backup/pgdump.dump'));
    assert.ok(readFileSync(at('dump')).equals(dump));
  });
});
