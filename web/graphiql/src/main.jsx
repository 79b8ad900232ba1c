import './workers.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './page.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import defaultQuery from './default-query.graphql?raw';
import { createFetcher } from './fetcher.js';
import { initialHeaders } from './headers.js';

const headers = await initialHeaders();

// No history plugin: it would write the token of every request to the browser's storage.
createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={createFetcher()}
    plugins={[explorerPlugin()]}
    defaultQuery={defaultQuery}
    defaultHeaders={headers}
    initialHeaders={headers}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
  >
    <GraphiQL.Logo>
      <a className="graphiql-logo-link" href="../">Leadport</a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
