import { asBifractError } from '../contract/errors.ts';
import type { Services } from '../ports/services.ts';

/** A job that was cancelled still ends soon. */
const LIMIT_MS = 15_000;

/**
 * Copies the server's records of archives to our own tables, as an upgrade of the server drops the originals. Never throws:
 * a failure is one warning.
 */
export async function copyRecords(
  services: Pick<Services, 'catalog'>,
  warn: (message: string) => void,
): Promise<void> {
  try {
    const catalog = await services.catalog();
    await catalog.copyRecords({ signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    const { code, message } = asBifractError(error);
    // The job that needed it has failed with the same error.
    if (code === 'POSTGRES_UNREACHABLE') return;
    warn(
      `Cannot copy the records of archives, which an upgrade of Bifract would drop: ${message}. Allow the user to create the schema bifract_console, or run \`bifract adopt\` after the upgrade.`,
    );
  }
}
