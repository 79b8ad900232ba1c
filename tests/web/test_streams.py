"""Subscriptions over HTTP: server-sent events and multipart/mixed (SECURITY-TESTS 9)."""

import json
import re

import pytest

from tests.web.conftest import Edge

ABSENT = "job_0190d3c2-0000-7000-8000-000000000000"
FOLLOW = "subscription ($id: ID!) { job(id: $id) { type revision job { id state } } }"
EXPORT = """mutation { exportLeads(input: {spec: {columns: [{field: NAME}], limit: 5}, waitSeconds: 20}) {
  job { id state } userErrors { message } } }"""


async def _finished_job(edge: Edge) -> str:
    return (await edge.ask(EXPORT)).json()["data"]["exportLeads"]["job"]["id"]


async def _streamed(edge: Edge, accept: str, query: str, headers: dict | None = None, **variables: object) -> str:
    answer = await edge.http.post(
        edge.graphql,
        json={"query": query, "variables": variables},
        headers={**(edge.headers if headers is None else headers), "Accept": accept},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(accept.partition(",")[0])
    return answer.text


def _events(text: str) -> list[dict]:
    """The `next` events of a stream that is complete."""
    assert text.endswith("event: complete\ndata:\n\n")
    return [json.loads(data) for data in re.findall(r"^event: next\ndata: (.*)$", text, re.MULTILINE)]


async def test_s09_a_subscription_is_answered_as_events_until_it_ends(edge: Edge) -> None:
    identifier = await _finished_job(edge)
    (event,) = _events(await _streamed(edge, "text/event-stream", FOLLOW, id=identifier))
    assert event["data"]["job"]["type"] == "SNAPSHOT"
    assert event["data"]["job"]["job"] == {"id": identifier, "state": "COMPLETED"}


async def test_s09_a_subscription_is_answered_in_parts_until_it_ends(edge: Edge) -> None:
    identifier = await _finished_job(edge)
    text = await _streamed(edge, "multipart/mixed", FOLLOW, id=identifier)
    bodies = [part.partition("\r\n\r\n")[2] for part in text.split("--graphql")[1:-1]]
    assert [json.loads(body)["payload"]["data"]["job"]["job"]["state"] for body in bodies] == ["COMPLETED"]
    assert text.endswith("--graphql--\r\n")


async def test_s09_events_are_for_who_prefers_them(edge: Edge) -> None:
    """urql names text/event-stream in every Accept header."""
    accept = "application/graphql-response+json, application/json, text/event-stream"
    body = {"query": "{ viewer { role } }"}
    answer = await edge.http.post(edge.graphql, json=body, headers={**edge.headers, "Accept": accept})
    assert answer.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    (event,) = _events(await _streamed(edge, "text/event-stream", "{ viewer { role } }"))
    assert event == {"data": {"viewer": {"role": "ADMIN"}}}


async def test_a_subscription_that_only_json_may_answer_is_refused(edge: Edge) -> None:
    answer = await edge.ask(FOLLOW, id=ABSENT)
    assert answer.status_code == 406


@pytest.mark.parametrize("identifier", [ABSENT, "job_nonsense", "lead_0190d3c2-0000-7000-8000-000000000000"])
async def test_s07_following_what_is_not_there_is_an_error_and_the_end(edge: Edge, identifier: str) -> None:
    (event,) = _events(await _streamed(edge, "text/event-stream", FOLLOW, id=identifier))
    assert event["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert event["errors"][0]["message"] == "There is no job with this id."
    assert "data" not in event


async def test_s12_following_without_a_credential_is_an_error_and_the_end(edge: Edge) -> None:
    text = await _streamed(edge, "text/event-stream", "subscription { jobs { revision } }", headers={})
    assert [event["errors"][0]["extensions"]["code"] for event in _events(text)] == ["UNAUTHENTICATED"]
