"""Previews beside page queries of as many leads with the same columns, turn about, both through the API's schema."""

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
    variables = {"columns": [{"field": key.name} for key in KEYS]}
    async with runtime_of(app, system, Path(folder)) as runtime:
        directory = Organizations(runtime.system)
        found = await directory.find(UUID(organization))
        assert found is not None
        services = Services(runtime, directory, NationalIds(runtime.keyring))
        caller = Caller(system_actor(found.id), found)

        async def seconds(document: str, given: dict[str, object] | None) -> float:
            began = time.perf_counter()
            answer = await schema.execute(document, given, context_value=request_context(services, caller, "127.0.0.1"))
            assert answer.errors is None, answer.errors
            return time.perf_counter() - began

        pairs = [(await seconds(PREVIEW, variables), await seconds(PAGE, None)) for _ in range(WARM + ROUNDS)][WARM:]
    previews, pages = zip(*pairs, strict=True)
    print(json.dumps({"seconds": statistics.median(previews), "reference seconds": statistics.median(pages)}))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
