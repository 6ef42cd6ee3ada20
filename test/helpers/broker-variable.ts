/** Variable with the URL of the test run's broker, which serves the addresses of the shared databases. */
export const BROKER_VARIABLE = 'BIFRACT_TEST_SERVICES';
