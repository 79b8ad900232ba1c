// graphql-sse in its distinct connections mode.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'graphql-sse';
import { FOLLOW, graphql, headers, startExport } from './server.mjs';

test('a job is followed over server-sent events', async () => {
  const client = createClient({ url: graphql, headers, retryAttempts: 0 });
  const events = [];
  for await (const { data } of client.iterate({ query: FOLLOW, variables: { id: await startExport() } })) events.push(data.job);
  client.dispose();
  assert.equal(events[0].type, 'SNAPSHOT');
  assert.equal(events.at(-1).job.state, 'COMPLETED');
});

test('a query is answered over server-sent events', async () => {
  const client = createClient({ url: graphql, headers, retryAttempts: 0 });
  const results = [];
  for await (const result of client.iterate({ query: '{ leads(first: 2) { nodes { id } } }' })) results.push(result);
  client.dispose();
  assert.equal(results[0].data.leads.nodes.length, 2);
});
