"""How the sandbox's Graph API says no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What Graph says is wrong; `status` is the HTTP status it says it under."""

    code: int
    subcode: int | None
    message: str
    title: str = ""
    advice: str = ""
    field: str = ""
    kind: str = "OAuthException"
    status: int = 400
    transient: bool = False

    def body(self) -> Row:
        """The `error` object; what has no value is left out."""
        shown: Row = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            shown |= {"error_subcode": self.subcode}
        shown |= {"is_transient": self.transient}
        if self.title:
            shown |= {"error_user_title": self.title, "error_user_msg": self.advice}
        if self.field:
            shown |= {"error_data": json.dumps({"blame_field_specs": [[self.field]]})}
        return shown | {"fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW"}


class GraphError(Exception):
    """A request Graph answers with an error."""

    def __init__(self, wrong: Wrong) -> None:
        self.wrong = wrong
        super().__init__(wrong.message)


NO_SUCH = Wrong(
    100, 33, "Unsupported request. Object does not exist, or cannot be loaded due to missing permissions",
    kind="GraphMethodException",
)  # fmt: skip
INVALID = Wrong(100, None, "Invalid parameter")
