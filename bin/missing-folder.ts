let left = false;

/** Node cannot start programs, or resolve any path, in a working directory that was removed: uses `/` instead. */
export function leaveMissingFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
    left = true;
  }
}

/** Whether relative paths no longer mean what the caller thought. */
export function hasLeftFolder(): boolean {
  return left;
}
