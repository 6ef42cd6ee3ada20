import type { Preferences } from '../src/components/index.tsx';

/** Preferences of the console, kept in the user's configuration folder. */
export async function openPreferences(): Promise<Preferences> {
  const { default: Conf } = await import('conf');
  const store = new Conf<Record<string, unknown>>({
    projectName: 'bifract',
    projectSuffix: '',
    clearInvalidConfig: true,
  });
  return {
    get: (key) => store.get(key),
    set(key, value) {
      try {
        store.set(key, value);
      } catch {
        // Without a writable home, the choice holds for this run only.
      }
    },
  };
}
