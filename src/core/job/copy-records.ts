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
  const signal = AbortSignal.timeout(LIMIT_MS);
  const attempt = async () => (await services.catalog()).copyRecords({ signal });
  try {
    // A connection that has been idle may turn out to be closed.
    await attempt().catch((error: unknown) => {
      if (isUnreachable(error)) return attempt();
      throw error;
    });
  } catch (error) {
    // The job that needed it has failed with the same error.
    if (isUnreachable(error)) return;
    const { message } = asBifractError(error);
    warn(
      `Cannot copy the records of archives, which an upgrade of Bifract would drop: ${message}. Allow the user to create schemas in the database, or run \`bifract adopt\` after the upgrade.`,
    );
  }
}

function isUnreachable(error: unknown): boolean {
  return asBifractError(error).code === 'POSTGRES_UNREACHABLE';
}
