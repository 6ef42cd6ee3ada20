import { defineCommand } from '../command.ts';
import { commandNamed } from '../define-program.ts';
import { type Session, withEngine } from '../session.ts';
import { type Candidate, candidates, type Kind } from './candidates.ts';

/** Longer, and the user has typed the rest. */
const PATIENCE_MS = 2_000;
/** More are no help in a menu. */
const MOST_WORDS = 200;

/** Internal: prints what can follow the words of a command line, for the completion scripts of shells. Never fails. */
export const command = defineCommand<{ words: string[] }>({
  declare(command, choose) {
    command
      .argument('[words...]')
      .allowUnknownOption()
      .action((words: string[]) => choose({ words }));
  },
  async run({ words }, context) {
    const program = await commandNamed(words.slice(0, -1));
    const found = candidates(program, words);
    const kinds = found.kinds.filter((kind) => kind !== 'file' && kind !== 'folder');
    const at = words.indexOf('--dir');
    const dir = (at < 0 ? undefined : words[at + 1]) ?? context.flags.dir;
    const flags = { ...context.flags, dir, readOnly: true };
    const names =
      kinds.length === 0
        ? []
        : await withEngine({ ...context, flags }, (session) => namesOf(session, kinds)).catch(() => []);
    const current = words.at(-1) ?? '';
    const matching = [...found.words, ...names].filter(({ word }) => word.startsWith(current));
    for (const { word, description } of matching.slice(0, MOST_WORDS))
      process.stdout.write(`${word}\t${description}\n`);
    if (kinds.length < found.kinds.length) process.stdout.write(':paths\n');
    return 0;
  },
});

async function namesOf({ engine, signal: ended }: Session, kinds: readonly Kind[]): Promise<Candidate[]> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(PATIENCE_MS)]);
  const lists: Partial<Record<Kind, () => Promise<Candidate[]>>> = {
    fractal: async () =>
      (await engine.fractals({ signal })).map(({ name }) => ({ word: name, description: 'fractal' })),
    backup: async () =>
      (await engine.backups({ signal })).map(({ name }) => ({ word: name, description: 'backup' })),
    archive: async () =>
      (await engine.archives({}, { signal })).map(({ id, fractal_name, period_label, created_at }) => ({
        word: id,
        description: `archive of ${fractal_name}, ${period_label ?? created_at.slice(0, 10)}`,
      })),
    group: async () =>
      (await engine.groups({}, { signal })).map(({ id, created_at }) => ({
        word: id,
        description: `group of ${created_at.slice(0, 10)}`,
      })),
    job: async () =>
      (await engine.knownJobs({ signal })).map(({ id, title }) => ({ word: id, description: title })),
  };
  const found = await Promise.allSettled(kinds.map((kind) => lists[kind]?.() ?? []));
  const names = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  // Neither the shell nor the lines may be confused by a name.
  return names.filter(
    ({ word, description }) => /^[\w.@-]+$/.test(word) && !/[\p{Cc}\p{Cf}]/u.test(description),
  );
}
