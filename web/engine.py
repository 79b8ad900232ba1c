"""Runs GraphQL operations, whatever transport they came by: prepare, reckon, execute within a time, code the errors."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    default_field_resolver,  # pyright: ignore[reportUnknownVariableType] - graphql-core leaves its generics open
    default_type_resolver,  # pyright: ignore[reportUnknownVariableType] - graphql-core leaves its generics open
    execute,  # pyright: ignore[reportUnknownVariableType] - graphql-core leaves its generics open
    subscribe,  # pyright: ignore[reportUnknownVariableType] - graphql-core leaves its generics open
)
from strawberry import Schema

from domain.errors import BadInput, Forbidden, Rejected, Unauthenticated
from domain.observing import Facts, Observe, observed
from resolvers.context import RequestContext
from resolvers.errors import coded
from web.cost import TooExpensive
from web.denials import record_denials
from web.documents import Documents, Prepared
from web.edge import unbroken
from web.graphql_request import GraphQLRequest
from web.metrics import observe_operation
from web.variables import plain_values
from web.weights import weigh

Answer = Mapping[str, object]
_LONGEST_NAME: Final = 100
_DEFAULT_RESOLVERS: Final = cast(
    "tuple[Any, Any, Any]", (default_field_resolver, default_type_resolver, default_field_resolver)
)
"""Of fields, of interfaces and unions, and of subscriptions."""
_NO_OPERATION: Final = "The document holds no operation of this name, or several and none is named."


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation that may run. `cost` is what the rate limit counts."""

    prepared: Prepared
    operation: OperationDefinitionNode
    request: GraphQLRequest
    cost: int
    hide_suggestions: bool = False

    @property
    def kind(self) -> OperationType:
        """query, mutation or subscription."""
        return self.operation.operation


@dataclass(frozen=True, slots=True)
class Refused:
    """An operation that does not run, and why. `cost` is what the rate limit counts all the same."""

    answer: Answer
    cost: int = 0


class Engine:
    """The schema with its document caches.

    `seconds` bounds each query, mutation and step of a subscription; `observe` is told of queries and mutations.
    """

    def __init__(
        self,
        schema: Schema,
        documents: Documents,
        anonymous: Documents,
        *,
        seconds: float,
        observe: Observe | None = None,
    ) -> None:
        self._schema = graphql_schema(schema)
        self._executor = cast("Any", schema.execution_context_class)
        self._documents = documents
        self._anonymous = anonymous
        self._seconds = seconds
        self._observe = observe

    async def prepare(self, request: GraphQLRequest, *, anonymous: bool = False) -> Ready | Refused:
        """Parse, validate and reckon, without running anything; `anonymous` callers may see less of the schema."""
        documents = self._anonymous if anonymous else self._documents
        prepared = await documents.prepare(request.query)
        if prepared.errors:
            return Refused({"errors": [error.formatted for error in prepared.errors]}, prepared.effort)
        operation = prepared.operation(request.operation_name)
        if operation is None:
            return _refused(_NO_OPERATION, "OPERATION_RESOLUTION_FAILURE", prepared.effort)
        try:
            weigh(request.variables, rows=operation.operation is OperationType.MUTATION and not anonymous)
            cost = documents.check_cost(prepared, request.operation_name, request.variables)
        except TooExpensive as error:
            return _refused(str(error), "LIMIT_EXCEEDED", prepared.effort)
        return Ready(prepared, operation, request, cost + prepared.effort, hide_suggestions=not documents.introspection)

    async def run(self, ready: Ready, context: RequestContext) -> Answer:
        """The result of a query or mutation, for waiting resolvers with their own waiting time on top."""
        started = time.monotonic()
        with observed(self._observe, ready.kind.value, _facts(ready)) as said:
            answer = await self._run(ready, context)
            outcome = "failed" if "errors" in answer else "answered"
            said({"leadport.outcome": outcome})
        observe_operation(ready.kind.value, outcome, time.monotonic() - started)
        return answer

    async def _run(self, ready: Ready, context: RequestContext) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                result = self._execute(ready, context)
                return await _answer(await result if isawaitable(result) else result, context)
        except TimeoutError:
            return _refused(f"The operation took longer than {self._seconds:.0f} seconds.", "TIMEOUT").answer

    def _execute(self, ready: Ready, context: RequestContext) -> ExecutionResult | Awaitable[ExecutionResult]:
        """What graphql-core's own `execute` does, where it need not look at the document and the variables again."""
        name = ready.operation.name.value if ready.operation.name else None
        values = plain_values(ready.prepared.signatures[name], ready.request.variables)
        if values is None:
            return execute(
                self._schema,
                cast("DocumentNode", ready.prepared.document),
                context_value=context,
                variable_values=dict(ready.request.variables),
                operation_name=ready.request.operation_name,
                executor_class=self._executor,
                hide_suggestions=ready.hide_suggestions,
            )
        fragments = ready.prepared.fragments
        executor = self._executor(
            self._schema,
            {name: fragment.definition for name, fragment in fragments.items()},
            fragments,
            None,
            context,
            ready.operation,
            values,
            *_DEFAULT_RESOLVERS,
            hide_suggestions=ready.hide_suggestions,
        )
        return cast("ExecutionResult | Awaitable[ExecutionResult]", executor.execute_operation())

    async def stream(self, ready: Ready, context: RequestContext) -> AsyncGenerator[Answer]:
        """The results of a subscription; of any other operation its one result. An error that ends it is the last."""
        async with aclosing(unbroken(self._stream(ready, context))) as answers:
            async for answer in answers:
                yield answer

    async def _stream(self, ready: Ready, context: RequestContext) -> AsyncGenerator[Answer]:
        if ready.kind is not OperationType.SUBSCRIPTION:
            yield await self.run(ready, context)
            return
        source = subscribe(
            self._schema,
            cast("DocumentNode", ready.prepared.document),
            context_value=context,
            variable_values=dict(ready.request.variables),
            operation_name=ready.request.operation_name,
            executor_class=self._executor,
            hide_suggestions=ready.hide_suggestions,
        )
        events = await source if isawaitable(source) else source
        if isinstance(events, ExecutionResult):
            yield await _answer(events, context)
            return
        try:
            async with aclosing(cast("AsyncGenerator[ExecutionResult]", events)) as results:
                async for result in results:
                    yield await _answer(result, context)
        except (BadInput, Forbidden, Rejected, Unauthenticated) as refused:
            error = GraphQLError(str(refused), path=[_root_field(ready.operation)], original_error=refused)
            await record_denials(context.runtime.database, context.actor, [error])
            yield {"errors": [coded(error).formatted]}


def graphql_schema(schema: Schema) -> GraphQLSchema:
    """graphql-core's schema behind Strawberry's, which shows it no other way."""
    return schema._schema  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - there is no public name


def _facts(ready: Ready) -> Facts:
    name = ready.operation.name
    facts = {"graphql.operation.type": ready.kind.value}
    return {**facts, "graphql.operation.name": name.value[:_LONGEST_NAME]} if name else facts


def _root_field(operation: OperationDefinitionNode) -> str:
    first = operation.selection_set.selections[0]
    return (first.alias or first.name).value if isinstance(first, FieldNode) else operation.operation.value


async def _answer(result: ExecutionResult, context: RequestContext) -> Answer:
    """The result as callers see it, once what it denies is in the activity log."""
    if result.errors:
        await record_denials(context.runtime.database, context.actor, result.errors)
    return _shown(result)


def _shown(result: ExecutionResult) -> Answer:
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        return {"errors": [coded(error).formatted for error in errors]}  # a request error: nothing ran
    answer: dict[str, object] = {"data": result.data}
    if result.errors:
        answer["errors"] = [coded(error).formatted for error in result.errors]
    return answer


def _refused(message: str, code: str, cost: int = 0) -> Refused:
    return Refused({"errors": [GraphQLError(message, extensions={"code": code}).formatted]}, cost)
