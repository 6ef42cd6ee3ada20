import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE_MIB = 192;

/** The file system of the installation: a small one in memory if this user may mount one. */
export class Disk {
  readonly path: string;
  /** Whether it can be filled, made read-only and made unreadable. */
  readonly is_mounted: boolean;
  #is_gone = false;

  private constructor(path: string, is_mounted: boolean) {
    this.path = path;
    this.is_mounted = is_mounted;
  }

  /** `owner`: the user it belongs to. */
  static async mount(owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }): Promise<Disk> {
    const path = await mkdtemp(join(tmpdir(), 'bifract-faults-'));
    const options = `size=${SIZE_MIB}m,uid=${owner.uid},gid=${owner.gid},mode=700`;
    const is_mounted = await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).then(
      () => true,
      () => false,
    );
    const disk = new Disk(path, is_mounted);
    process.once('exit', () => disk.#unmountNow());
    return disk;
  }

  async unmount(): Promise<void> {
    if (this.is_mounted) await run('umount', ['-l', this.path]);
    this.#is_gone = true;
    await rm(this.path, { recursive: true, force: true });
  }

  /** However this process ends, no mount is left. */
  #unmountNow(): void {
    if (this.is_mounted && !this.#is_gone) spawnSync('umount', ['-l', this.path]);
  }

  /** Uses up all space but `left` bytes. */
  async fill(left: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    await using file = await open(join(this.path, 'filler'), 'w');
    const piece = Buffer.alloc(1 << 20);
    for (let more = bavail * bsize - left; more > 0; more -= piece.length)
      // What else writes may have taken the space.
      if (!(await file.write(piece, 0, Math.min(more, piece.length)).catch(() => undefined))) return;
  }

  async free(): Promise<void> {
    await rm(join(this.path, 'filler'), { force: true });
  }

  async makeReadOnly(folder: string): Promise<void> {
    await run('mount', ['--bind', folder, folder]);
    await run('mount', ['-o', 'remount,ro,bind', folder]);
  }

  async makeWritable(folder: string): Promise<void> {
    await run('umount', ['-l', folder]).catch(() => undefined);
  }

  /** Effective only for programs without root's right to read everything. */
  async makeUnreadable(folder: string): Promise<void> {
    await chmod(folder, 0);
  }

  async makeReadable(folder: string): Promise<void> {
    await chmod(folder, 0o700);
  }
}
