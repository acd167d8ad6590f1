"""`/bulk`: dumps of the whole registry, made by a periodic task, served as files.

What may be asked for is exactly what ``index.json`` names; nothing is looked for in the file system by a name
that came from outside.
"""

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from leadline.registry.bulk import MANIFEST
from leadline.registry.bulk.feed import read_index

_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".sqlite": "application/vnd.sqlite3",
    ".json": "application/json",
}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_SHORTLY = {"Cache-Control": "public, max-age=300"}


def routes(site: Any) -> list[Route]:
    """``/bulk/index.json`` and ``/bulk/<dump>/<file>``; nothing where the settings name no folder."""
    folder: Path | None = site.settings.bulk_folder
    if folder is None:
        return []

    async def index(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse(await run_in_threadpool(read_index, folder), headers=_SHORTLY)

    async def file(request: Request) -> Response:
        dump, name = request.path_params["dump"], request.path_params["name"]
        digest = await run_in_threadpool(_digest, folder, dump, name)
        path = folder / dump / name
        if digest is None or not path.is_file():
            return Response("there is no such dump\n", 404, media_type="text/plain")
        # A whole dump of one size is the same bytes for ever; its manifest has no digest of its own here.
        headers = _SHORTLY if name == MANIFEST else {**_FOREVER, "ETag": f'"{digest}"'}
        return FileResponse(path, headers=headers, media_type=_TYPES.get(path.suffix, "text/plain"))

    return [Route("/bulk/index.json", index), Route("/bulk/{dump}/{name}", file)]


def _digest(folder: Path, dump: str, name: str) -> str | None:
    """The digest of a file of a dump as the index has it; empty for a manifest, None where nothing is offered."""
    for kind in read_index(folder).values():
        for one in kind:
            if one["folder"] == dump:
                files: dict[str, str] = {MANIFEST: "", **one["files"]}
                return files.get(name)
    return None
