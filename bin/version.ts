declare const BIFRACT_VERSION: string | undefined;

/** The version of this program, set by the build; `0.0.0-dev` when run from source. */
export const VERSION = typeof BIFRACT_VERSION === 'string' ? BIFRACT_VERSION : '0.0.0-dev';
