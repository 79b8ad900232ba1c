// urql sends text/event-stream in every Accept header: a query must still be answered as JSON.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphql, headers } from './server.mjs';

test('a query whose Accept lists text/event-stream last gets JSON', async () => {
  const answer = await fetch(graphql, {
    method: 'POST',
    headers: {
      ...headers,
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    },
    body: JSON.stringify({ query: '{ viewer { role } }' }),
  });
  assert.match(answer.headers.get('content-type'), /^application\/graphql-response\+json/);
  assert.equal((await answer.json()).data.viewer.role, 'ADMIN');
});
