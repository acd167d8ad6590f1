"""What every block shares: frozen, closed to unknown keys, bounded."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: Short names that other blocks refer to: letters, digits, dot, dash, underscore.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
#: One line of text: no control characters, which could forge a line elsewhere.
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
#: Text of several lines: line ends and tabs are its only control characters.
Text = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
#: An expression in the filter language (`leadline.protocol.expression`); data, never code.
Expression = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Probability = Annotated[float, Field(ge=0, le=1)]
#: A settings table as a harness logs it: task arguments, generate options, limits.
Settings = dict[Annotated[str, StringConstraints(max_length=200)], Any]


class Block(BaseModel):
    """A frozen part of a protocol; unknown keys are errors, so a typo cannot silence a promise."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )
