"""Previews beside page queries of as many leads with the same columns, turn about, as the server's engine runs them."""

import json
import statistics
import sys
import time
from pathlib import Path
from uuid import UUID

import uvloop

from bench.exports.leads import KEYS
from bench.jobs.place import runtime_of
from db.organizations import Organizations
from domain.actors import system_actor
from domain.national_ids import NationalIds
from resolvers.ports import Caller, Services, request_context
from resolvers.schema import build_schema
from web.cost import CostLimits
from web.documents import DocumentLimits, Documents
from web.engine import Engine, Ready, graphql_schema
from web.graphql_request import GraphQLRequest

ROWS, ROUNDS, WARM = 50, 60, 10
PREVIEW = """query($columns: [ExportColumnInput!]) { exportPreview(spec: {columns: $columns}, first: 50) {
  rows rowCount { value } estimatedBytes estimatedSeconds maskedFields fileName warnings columns { key header } } }"""
PAGE = """{ leads(first: 50) { totalCount { value exact } edges { cursor node {
  id chatbot { name } status { key } source leadSource name phone email nationalId score interestLevel confidence
  category primaryLanguage detectedLanguages ai { legitimate confidenceScore reasons }
  session { sessionId userAgent ipAddress country city }
  engagement { messageCount sessionDurationSeconds firstInterestAt lastInterestAt conversationSummary }
  tags notesCount conversion { at value source } createdAt updatedAt customFields } } } }"""


async def main(app: str, system: str, folder: str, organization: str) -> None:
    schema = build_schema()
    documents = Documents(graphql_schema(schema), DocumentLimits(), CostLimits())
    engine = Engine(schema, documents, documents, seconds=30)
    variables = {"columns": [{"field": key.name} for key in KEYS]}
    async with runtime_of(app, system, Path(folder)) as runtime:
        directory = Organizations(runtime.system)
        found = await directory.find(UUID(organization))
        assert found is not None
        services = Services(runtime, directory, NationalIds(runtime.keyring))
        caller = Caller(system_actor(found.id), found)

        async def seconds(document: str, given: dict[str, object]) -> float:
            began = time.perf_counter()
            ready = await engine.prepare(GraphQLRequest(query=document, operation_name=None, variables=given))
            assert isinstance(ready, Ready), ready
            answer = await engine.run(ready, request_context(services, caller, "127.0.0.1"))
            assert "errors" not in answer, answer
            return time.perf_counter() - began

        pairs = [(await seconds(PREVIEW, variables), await seconds(PAGE, {})) for _ in range(WARM + ROUNDS)][WARM:]
    previews, pages = zip(*pairs, strict=True)
    print(json.dumps({"seconds": statistics.median(previews), "reference seconds": statistics.median(pages)}))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
