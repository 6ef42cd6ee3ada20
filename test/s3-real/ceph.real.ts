import { startCeph } from './ceph.ts';
import { realSuite } from './suite.ts';

realSuite('Ceph', (dir) => startCeph(dir, 7480));
