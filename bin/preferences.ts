import type { Preferences } from '../src/components/index.tsx';

/** What the console remembers between two runs, in the user's own configuration folder. */
export async function openPreferences(): Promise<Preferences> {
  const { default: Conf } = await import('conf');
  const kept = new Conf<Record<string, unknown>>({
    projectName: 'bifract',
    projectSuffix: '',
    clearInvalidConfig: true,
  });
  return {
    get: (key) => kept.get(key),
    set(key, value) {
      try {
        kept.set(key, value);
      } catch {
        // A home that cannot be written is no reason to end the console: the choice holds for this run.
      }
    },
  };
}
