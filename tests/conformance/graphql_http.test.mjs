// GraphQL over HTTP: every audit of the specification's own suite.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { graphql } from './server.mjs';

for (const audit of serverAudits({ url: graphql })) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}
