/** The internal command that the completion scripts of shells call. */
export const RUN_COMPLETE = 'complete-words';
