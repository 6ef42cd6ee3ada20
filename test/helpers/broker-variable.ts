/** Names the broker of a test run, which tells where the databases are that the run's files share. */
export const BROKER_VARIABLE = 'BIFRACT_TEST_SERVICES';
