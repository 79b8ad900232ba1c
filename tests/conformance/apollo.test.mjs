// Apollo Client: a page of leads, an upload by apollo-upload-client, a subscription by its graphql-ws link.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { FOLLOW, graphql, headers, IMPORT, socket, startExport } from './server.mjs';

function apollo(link) {
  return new ApolloClient({ link, cache: new InMemoryCache() });
}

test('Apollo Client pages through leads', async () => {
  const client = apollo(new HttpLink({ uri: graphql, headers }));
  const query = gql`query Page($after: String) { leads(first: 3, after: $after) { nodes { id name } pageInfo { endCursor } } }`;
  const first = await client.query({ query });
  const next = await client.query({ query, variables: { after: first.data.leads.pageInfo.endCursor } });
  assert.equal(first.data.leads.nodes.length, 3);
  assert.notEqual(first.data.leads.nodes[0].id, next.data.leads.nodes[0].id);
  client.stop();
});

test('apollo-upload-client imports a file', async () => {
  const client = apollo(new UploadHttpLink({ uri: graphql, headers: { ...headers, 'Apollo-Require-Preflight': 'true' } }));
  const name = `Upload ${Date.now()}`;
  const file = new File([`name,phone\n${name},\n`], 'leads.csv', { type: 'text/csv' });
  const { data } = await client.mutate({ mutation: gql(IMPORT), variables: { file } });
  assert.deepEqual(data.importLeads.userErrors, []);
  assert.equal(data.importLeads.job.counts.created, 1);
  client.stop();
});

test('Apollo Client follows a job', async () => {
  const connection = createClient({ url: socket, webSocketImpl: WebSocket, connectionParams: headers });
  const client = apollo(ApolloLink.from([new GraphQLWsLink(connection)]));
  const id = await startExport();
  const states = await new Promise((resolve, reject) => {
    const seen = [];
    client.subscribe({ query: gql(FOLLOW), variables: { id } }).subscribe({
      next: ({ data }) => seen.push(data.job.job.state), error: reject, complete: () => resolve(seen),
    });
  });
  assert.equal(states.at(-1), 'COMPLETED');
  await connection.dispose();
  client.stop();
});
