"""The files of the models: named by their digest, whole or not there, verified each time they are read."""

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from app.inference.engine import digest
from app.registry.errors import FileNotThere, WrongDigest

DIGEST = re.compile(r"[0-9a-f]{64}")


class Files:
    """A folder, on a disk that all processes and hosts share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, sha256: str) -> bytes:
        """The bytes of that digest, to be called in a thread. Raises FileNotThere or WrongDigest."""
        try:
            content = self._path(sha256).read_bytes()
        except OSError as error:
            raise FileNotThere(f"No file {sha256[:64]} is here.") from error
        if digest(content) != sha256:
            raise WrongDigest(f"The file {sha256} was changed since it was registered.")
        return content

    async def write(self, sha256: str, chunks: AsyncIterator[bytes]) -> int:
        """Keep a file under its digest, on the disk before this returns. How many bytes it has. Raises WrongDigest.

        It is written beside its place and renamed, so that whoever dies here leaves no half of a file that has a name.
        """
        path, found, size = self._path(sha256), hashlib.sha256(), 0
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".{sha256}-{secrets.token_hex(4)}"
        try:
            with beside.open("xb") as file:
                async for chunk in chunks:
                    found.update(chunk)
                    size += len(chunk)
                    await asyncio.to_thread(file.write, chunk)
                if found.hexdigest() != sha256:
                    raise WrongDigest(f"The bytes that were sent have the digest {found.hexdigest()}.")
                await asyncio.to_thread(os.fsync, file.fileno())
            await asyncio.to_thread(_rename, beside, path)
        finally:
            beside.unlink(missing_ok=True)
        return size

    def _path(self, sha256: str) -> Path:
        if not DIGEST.fullmatch(sha256):
            raise FileNotThere("A digest is 64 hexadecimal digits, in lower case.")
        return self.folder / f"{sha256}.onnx"


def _rename(beside: Path, path: Path) -> None:
    beside.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # the name is on the disk once the folder is; Windows has no word for that
        descriptor = os.open(path.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Bytes that are all here already, as a stream."""
    yield content
