// urql: a query, a mutation, and a subscription over its graphql-ws exchange.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { FOLLOW, graphql, headers, socket, START_EXPORT } from './server.mjs';

test('urql queries, starts an export and follows it', async () => {
  const connection = createClient({ url: socket, webSocketImpl: WebSocket, connectionParams: headers });
  const client = new Client({
    url: graphql,
    preferGetMethod: false,
    fetchOptions: { headers },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: connection.subscribe({ ...request, query: request.query ?? '' }, sink) }),
        }),
      }),
    ],
  });
  const page = await client.query('{ leads(first: 2) { nodes { id } } }', {}).toPromise();
  assert.equal(page.data.leads.nodes.length, 2);
  const started = await client.mutation(START_EXPORT, {}).toPromise();
  const id = started.data.exportLeads.job.id;
  const last = await new Promise((resolve, reject) => {
    client.subscription(FOLLOW, { id }).subscribe(({ data, error }) => {
      if (error) reject(error);
      if (data?.job.job.state === 'COMPLETED') resolve(data.job.job.state);
    });
  });
  assert.equal(last, 'COMPLETED');
  await connection.dispose();
});
