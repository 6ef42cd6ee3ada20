/** Replaces `react-devtools-core` in the bundle: Ink loads it only with DEV=true. */
export default {};
