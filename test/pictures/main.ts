// Renews the pictures in docs/pictures from the real program: npm run pictures
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PROGRAM } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { startUsedInstallation, type UsedInstallation } from './installation.ts';
import { type Frame, frameOf, movieOf, pictureOf } from './svg.ts';

const FOLDER = join(import.meta.dirname, '../../docs/pictures');
const FRAME_MS = 250;
/** The most frames of a movie while something runs. */
const MAX_FRAMES = 40;
/** The last frame stays for a moment. */
const LAST_FRAMES = 10;
const SLOW_MS = 60_000;

interface Scene {
  name: string;
  title: string;
  columns: number;
  rows: number;
  /** Brings the screen to what the picture shows. */
  play(console: PtyProgram): Promise<void>;
}

const SCENES: readonly Scene[] = [
  {
    name: 'overview',
    title: 'The overview: whether the data is safe, and what that is based on',
    columns: 110,
    rows: 30,
    async play(console) {
      await console.waitFor(/Databases +✓/, SLOW_MS);
      await console.waitFor(/web-prod +\S+ +\d/, SLOW_MS);
      await goneFrom(console, 'counting…');
    },
  },
  {
    name: 'fractals',
    title: 'The fractals of an installation',
    columns: 110,
    rows: 18,
    async play(console) {
      console.type('2');
      await console.waitFor('web-prod');
      console.type('jj');
    },
  },
  {
    name: 'timeline',
    title: 'The timeline of a fractal: which days are archived',
    columns: 100,
    rows: 22,
    async play(console) {
      await openFractal(console, 'web-prod');
      console.type('t');
      await console.waitFor('not archived', SLOW_MS);
      console.type('h'.repeat(8));
      await console.waitFor(/Not in any archive|none archived/);
    },
  },
  {
    name: 'rows',
    title: 'The rows of an archive, with a search',
    columns: 110,
    rows: 24,
    async play(console) {
      await openFractal(console, 'payments-json');
      console.type('\r');
      await console.waitFor(/\d archives?\b/);
      console.type('o');
      await console.waitFor(/\d\d:\d\d:\d\d/, SLOW_MS);
      console.type('/"error"\r');
      await console.waitFor(/row \d+ of/, SLOW_MS);
      console.type('nn');
    },
  },
  {
    name: 'restore',
    title: 'The plan of a restore: what it replaces, and what would be lost',
    columns: 100,
    rows: 30,
    async play(console) {
      console.type('4');
      await console.waitFor('8 backups');
      console.type('jjj');
      console.type('R');
      await console.waitFor('Continue');
      console.type('\r');
      await console.waitFor('live');
      console.type('jj\r');
      await console.waitFor(/Tables|tables/, SLOW_MS);
      await console.waitFor('Continue', SLOW_MS);
    },
  },
];

await using installation = await startUsedInstallation();
for (const scene of SCENES) await paint(scene, installation);
await film(installation);

async function paint(scene: Scene, { dir, env }: UsedInstallation): Promise<void> {
  const console = open(scene, { dir, env });
  try {
    await ready(console);
    await scene.play(console);
    await settled(console);
    await writeFile(join(FOLDER, `${scene.name}.svg`), pictureOf(frameOf(console.screen), scene.title));
  } finally {
    console.kill('SIGTERM');
    await console.ended;
  }
}

/** An archive from its start to its end. */
async function film(installation: UsedInstallation): Promise<void> {
  const console = open({ columns: 100, rows: 16 }, installation);
  try {
    await ready(console);
    console.type('2');
    await console.waitFor('web-prod');
    console.type('jjjjj');
    await settled(console);
    const start = frameOf(console.screen);
    console.type('a');
    const work: Frame[] = [];
    while (!/done: [\d.]+/.test(console.text()) && work.length * FRAME_MS < 4 * SLOW_MS) {
      await wait(FRAME_MS);
      work.push(frameOf(console.screen));
    }
    await settled(console);
    const end = Array<Frame>(LAST_FRAMES).fill(frameOf(console.screen));
    const title = 'A fractal while it is archived';
    const frames = [start, start, ...thinned(work, MAX_FRAMES), ...end];
    await writeFile(join(FOLDER, 'archive.svg'), movieOf(frames, FRAME_MS, title));
  } finally {
    console.kill('SIGTERM');
    await console.ended;
  }
}

function open(
  { columns, rows }: Pick<Scene, 'columns' | 'rows'>,
  { dir, env }: Pick<UsedInstallation, 'dir' | 'env'>,
): PtyProgram {
  const args = [PROGRAM, '--dir', dir];
  return new PtyProgram(process.execPath, args, { columns, rows, env: { ...process.env, ...env } });
}

/** At most so many frames, evenly: a slow machine makes no longer movie. */
function thinned(frames: readonly Frame[], limit: number): Frame[] {
  const step = Math.max(1, frames.length / limit);
  return Array.from(
    { length: Math.min(limit, frames.length) },
    (_, index) => frames[Math.floor(index * step)],
  ).filter((frame) => frame !== undefined);
}

/** Waits until the console has loaded, and takes keys. */
async function ready(console: PtyProgram): Promise<void> {
  await console.waitFor(/Storage ✓/, SLOW_MS);
}

async function openFractal(console: PtyProgram, name: string): Promise<void> {
  console.type('2');
  await console.waitFor(name);
  console.type(`/${name}\r`);
  await console.waitFor(/1 of \d+ fractals/);
}

async function goneFrom(console: PtyProgram, text: string): Promise<void> {
  while (console.text().includes(text)) await wait(FRAME_MS);
}

/** Waits until nothing changes on the screen. */
async function settled(console: PtyProgram): Promise<void> {
  for (let before = ''; before !== console.text(); await wait(2 * FRAME_MS)) before = console.text();
}
