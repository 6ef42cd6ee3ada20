/** ID of a user, and of its group, that owns nothing. */
export const NOBODY = 65_534;

export const isRoot = process.getuid?.() === 0;

/** Runs work as a user who is not root: that one, if this is root. */
export async function asNobody(work: () => Promise<void>): Promise<void> {
  if (!isRoot) return work();
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
