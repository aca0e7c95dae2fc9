"""Models of pydantic as arguments and results of functions, with nothing registered."""

import importlib.util
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pydantic
import pytest

from wireflight import EncodeError, Wireflight, dumps, loads, payload, plain_dumps

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "pydantic_models.py"


class Item(pydantic.BaseModel):
    """A model whose field has another name on the wire."""

    model_config = pydantic.ConfigDict(populate_by_name=True)

    qty: int = pydantic.Field(ge=1, alias="quantity")
    due: datetime | None = None


@pydantic.dataclasses.dataclass
class Size:
    """A dataclass that validates."""

    width: int = pydantic.Field(gt=3)


class Wider(pydantic.BaseModel):
    """Another model with the one member of `Narrow`, of another type."""

    n: float


class Narrow(pydantic.BaseModel):
    """See `Wider`."""

    n: int


@pytest.fixture
def example() -> ModuleType:
    """The example, loaded anew."""
    spec = importlib.util.spec_from_file_location("pydantic_models", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_example_takes_and_sends_models(asgi, example) -> None:
    """A model comes in validated and goes out as its fields, in both encodings."""
    client = asgi(example.app)
    document = (await client.post("/join", {"arg": {"name": "Ada"}})).document()
    assert document["value"] == 1
    sent = {"begins": "2026-12-31T20:00:00.000Z", "guests": [{"name": "Ada", "seats": 1}]}
    assert document["updates"][0]["value"] == sent
    ours = (await client.get("/get_party", query="payload=")).document()["value"]
    assert ours == {**sent, "begins": datetime(2026, 12, 31, 20, tzinfo=UTC)}


async def test_example_sends_what_a_model_refuses_as_issues(asgi, example) -> None:
    """Paths and codes are those of every other type, and the model's own words stay here."""
    argument = {"name": "robot 7", "seats": 5, "x": 1}
    response = await asgi(example.app).post("/join", {"arg": argument})
    issues = response.document()["error"]["issues"]
    found = {(tuple(each["path"]), each["code"]) for each in issues}
    assert found == {(("name",), "invalid"), (("seats",), "maximum"), (("x",), "unknown_member")}
    assert b"robot" not in response.body
    assert example.party.guests == []


async def test_server_takes_models_beside_other_parameters(asgi) -> None:
    """A model may be one of several parameters, nested, a dataclass, or left out."""
    app = Wireflight()

    @app.query(details=True)
    async def read(items: list[Item], size: Size | None = None, n: int = 1) -> list[object]:
        return [items[0], size, n]

    client = asgi(app)
    query = 'arg={"items":[{"quantity":"2"}],"size":{"width":4}}'
    answer = (await client.get("/read", query=query)).document()
    assert answer["value"] == [{"quantity": 2, "due": None}, {"width": 4}, 1]
    query = 'arg={"items":[{"quantity":0}],"size":{"width":3},"n":"x"}'
    issues = (await client.get("/read", query=query)).document()["error"]["issues"]
    assert {tuple(each["path"]) for each in issues} == {
        ("items", 0, "quantity"),
        ("size", "width"),
        ("n",),
    }


async def test_server_names_an_instance_by_the_fields_of_its_model(asgi) -> None:
    """The key of a query that the server's own code refers to is that of the model's object."""
    app = Wireflight()

    @app.query
    async def read(item: Item) -> int:
        return item.qty

    @app.command
    async def act() -> None:
        read(Item(quantity=2)).refresh()

    updates = (await asgi(app).post("/act")).updates()
    key = "read/" + payload({"quantity": 2, "due": None})
    assert updates[key]["value"] == 2


@pytest.mark.parametrize("place", ["argument", "result"])
def test_contract_changes_with_a_model(place: str) -> None:
    """The types within a model are part of what the contract hashes, and of the manifest."""
    contracts, schemas = set(), []
    for model in (Narrow, Wider):
        app = Wireflight(expose_functions=True)

        def handler(value):
            return value

        handler.__annotations__ = {"value" if place == "argument" else "return": model}
        app.query(handler)
        (entry,) = app.server.settings.registry
        contracts.add(entry.contract)
        signature = entry.function.signature
        described = (
            signature.argument_schema() if place == "argument" else signature.result_schema()
        )
        schemas.append(str(described))
    assert len(contracts) == 2
    assert "integer" in schemas[0]
    assert "number" in schemas[1]


def test_codec_reads_a_model_as_its_fields() -> None:
    """Aliases are the names on the wire, and what a model nests is read in turn."""
    item = Item(quantity=1, due=datetime(2026, 1, 2, tzinfo=UTC))
    expected = {"quantity": 1, "due": datetime(2026, 1, 2, tzinfo=UTC)}
    assert loads(dumps([item])) == [expected]
    assert plain_dumps(item) == b'{"quantity":1,"due":"2026-01-02T00:00:00.000Z"}'
    assert loads(dumps(pydantic.RootModel[list[Item]]([item]))) == [expected]


def test_codec_refuses_a_model_that_cannot_be_written() -> None:
    """A serialiser that fails concerns this value alone."""

    class Broken(pydantic.BaseModel):
        n: int

        @pydantic.field_serializer("n")
        def _fail(self, _: int) -> int:
            raise ValueError("no")

    with pytest.raises(EncodeError, match="refused the value"):
        dumps({"a": Broken(n=1)})


def test_package_imports_no_pydantic_before_a_signature_names_it() -> None:
    """Nobody who has no models pays for them, or needs them installed."""
    code = """
import sys
from wireflight import Wireflight
app = Wireflight()
@app.query
def read(value: list[int]) -> dict[str, int]: ...
assert next(iter(app.server.settings.registry)).contract
assert not [name for name in sys.modules if "pydantic" in name]
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLE.parents[1])
