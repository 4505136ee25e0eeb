"""The one script of the pages: htmx (a copy is in `static/`, under its own licence) and ours, as one file.

Its address holds a digest of its text, so that browsers may keep it for ever.
"""

from hashlib import sha256
from pathlib import Path

from litestar import Response, get
from litestar.exceptions import NotFoundException

from service.web.asked import Id

FOLDER = Path(__file__).parent / "static"
SCRIPT = "\n".join((FOLDER / name).read_text("utf-8") for name in ("htmx.min.js", "live.js"))
DIGEST = sha256(SCRIPT.encode()).hexdigest()[:16]
ADDRESS = f"/static/{DIGEST}.js"


@get("/static/{name:str}", sync_to_thread=False)
def script(name: Id) -> Response[str]:
    """The script, at its present address only."""
    if name != f"{DIGEST}.js":
        raise NotFoundException("there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(SCRIPT, media_type="text/javascript", headers=headers)


HANDLERS = (script,)
