// graphql-ws over graphql-transport-ws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { FOLLOW, headers, socket, startExport } from './server.mjs';

function client(connectionParams) {
  return createClient({ url: socket, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
}

test('a query is answered over the socket', async () => {
  const connection = client(headers);
  const results = [];
  for await (const result of connection.iterate({ query: '{ viewer { organization { slug } } }' })) results.push(result);
  await connection.dispose();
  assert.ok(results[0].data.viewer.organization.slug);
});

test('a job is followed from its snapshot to its end', async () => {
  const connection = client(headers);
  const events = [];
  for await (const { data } of connection.iterate({ query: FOLLOW, variables: { id: await startExport() } })) events.push(data.job);
  await connection.dispose();
  assert.equal(events[0].type, 'SNAPSHOT');
  assert.equal(events.at(-1).job.state, 'COMPLETED');
  assert.ok(events.every((event, place) => place === 0 || event.revision > events[place - 1].revision));
});

test('a wrong token is refused', async () => {
  const connection = client({ Authorization: 'Bearer nonsense' });
  await assert.rejects(async () => {
    for await (const result of connection.iterate({ query: '{ viewer { role } }' })) if (result.errors) throw result.errors[0];
  });
  await connection.dispose();
});
