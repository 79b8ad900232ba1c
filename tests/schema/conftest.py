import pytest
import strawberry

from schema.config import schema_config
from tests.schema.reading import Given


@pytest.fixture
def given() -> Given:
    """Reads an input as a client sends it: literal GraphQL in, the Strawberry input out.

    A variable is given as its type and value, `...` for one that is left out.
    """

    def read(kind: type, literal: str, **variables: object) -> object:
        taken = []

        def probe(input: kind) -> bool:  # noqa: A002 - the argument of the contract
            taken.append(input)
            return True

        query = strawberry.type(type("Query", (), {"probe": strawberry.field(resolver=probe)}))
        schema = strawberry.Schema(query, config=schema_config())
        names = "".join(f"${name}: {variables[name][0]} " for name in variables)
        head = f"query ({names}) " if names else ""
        values = {name: value for name, (_, value) in variables.items() if value is not ...}
        result = schema.execute_sync(f"{head}{{ probe(input: {literal}) }}", variable_values=values)
        if result.errors:
            raise result.errors[0]
        return taken[0]

    return read
