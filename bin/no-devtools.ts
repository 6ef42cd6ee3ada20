/** Stands in for `react-devtools-core` in the bundle: Ink asks for it only under DEV=true. */
export default {};
