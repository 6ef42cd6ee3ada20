import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createLogsTables,
  createPostgresTables,
  GENERATIONS,
  type Generation,
  migrateLogsTables,
  migratePostgres,
} from '../../../../bin/demo/generations.ts';
import { queryClickhouse, queryPostgres } from '../../../../bin/demo/query.ts';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { connectCatalog } from '../../../../src/core/adapters/postgres/catalog/catalog.ts';
import type { InstallationShape } from '../../../../src/core/ports/installation-shape.ts';
import { startTestServices, type TestServices } from '../../../helpers/services.ts';

let services: TestServices;
before(async () => {
  services = await startTestServices();
});
after(() => services.stop());
