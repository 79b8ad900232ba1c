import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

// The page lives at <root>/graphiql/, the API at <root>/graphql.
const httpUrl = new URL('../graphql', location.href);
const webSocketUrl = new URL(httpUrl);
webSocketUrl.protocol = httpUrl.protocol.replace('http', 'ws');

// Header names ignore case, the keys of a connection_init payload do not.
function connectionPayload(headers) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase() === 'authorization' ? 'Authorization' : name,
      value,
    ]),
  );
}

/** A GraphiQL fetcher whose subscriptions carry the headers editor's content as their connection_init payload. */
export function createFetcher() {
  let headers = {};
  const wsClient = createClient({
    url: webSocketUrl.href,
    connectionParams: () => connectionPayload(headers),
  });
  const fetcher = createGraphiQLFetcher({ url: httpUrl.href, wsClient, enableIncrementalDelivery: false });
  return (params, options) => {
    headers = options?.headers ?? {};
    return fetcher(params, options);
  };
}
