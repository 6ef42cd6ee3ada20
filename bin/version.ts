declare const BIFRACT_VERSION: string | undefined;

/** This program's version; the build puts it in, run from source it is `0.0.0-dev`. */
export const VERSION = typeof BIFRACT_VERSION === 'string' ? BIFRACT_VERSION : '0.0.0-dev';
