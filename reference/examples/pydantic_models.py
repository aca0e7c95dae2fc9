"""Models of pydantic as arguments and results: `wireflight run pydantic_models:app`.

Install `wireflight[pydantic]`; there is nothing to register. A model validates by its own
rules, what it refuses becomes issues, and a result is sent as the object of its fields.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from wireflight import Wireflight


class Guest(BaseModel):
    """Who comes."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=40)]
    seats: Annotated[int, Field(ge=1, le=4)] = 1

    @field_validator("name")
    @classmethod
    def _is_no_robot(cls, name: str) -> str:
        if name.startswith("robot"):
            raise ValueError("robots stay outside")
        return name


class Party(BaseModel):
    """Everybody who comes."""

    begins: datetime
    guests: list[Guest] = []


app = Wireflight()
party = Party(begins=datetime(2026, 12, 31, 20, tzinfo=UTC))


@app.query
async def get_party() -> Party:
    """Tell who comes."""
    return party


@app.command(details=True)
async def join(guest: Guest) -> int:
    """Let somebody come and return how many seats are taken."""
    party.guests.append(guest)
    get_party().refresh()
    return sum(guest.seats for guest in party.guests)
