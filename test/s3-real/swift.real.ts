import { realSuite } from './suite.ts';
import { startSwift } from './swift.ts';

realSuite('Swift', (dir) => startSwift(dir, 8290));
