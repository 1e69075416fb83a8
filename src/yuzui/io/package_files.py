"""Files of a package that the user has: in its wheel, or installed. Its code is not imported, nothing is fetched."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from email.parser import BytesParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from yuzui.core.errors import ConfigError

_METADATA: Final = re.compile(r"[^/]+\.dist-info/METADATA")
MOST_METADATA_BYTES: Final = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFiles:
    package: str
    most_bytes: int
    """Of one file, unpacked."""
    wheel: Path | None = None
    """None: the installed package."""

    def version(self) -> str:
        """Raise `ConfigError` where the package is not there, or the wheel is another one's."""
        if self.wheel is None:
            try:
                return distribution(self.package).version
            except PackageNotFoundError as error:
                raise ConfigError(
                    f"{self.package} is not installed here: fetch its wheel where there is a network (pip download "
                    f"--no-deps {self.package}) and name it with --from"
                ) from error
        with self._opened() as archive:
            named = next((name for name in archive.namelist() if _METADATA.fullmatch(name)), "")
            if not named:
                raise ConfigError(f"{self.wheel} is no wheel: it says nowhere what it is")
            facts = BytesParser().parsebytes(self._member(archive, named, MOST_METADATA_BYTES), headersonly=True)
        if _normal(str(facts["Name"])) != _normal(self.package):
            raise ConfigError(f"{self.wheel} is the package {facts['Name']}, not {self.package}")
        return str(facts["Version"])

    def read(self, file: str) -> bytes:
        """`file`: its path inside the package, with slashes. Raise `ConfigError`."""
        if self.wheel is not None:
            with self._opened() as archive:
                return self._member(archive, file, self.most_bytes)
        path = Path(str(distribution(self.package).locate_file(file)))
        try:
            if path.stat().st_size > self.most_bytes:
                raise ConfigError(f"{path} is larger than {self.most_bytes} bytes")
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error

    def _opened(self) -> zipfile.ZipFile:
        assert self.wheel is not None  # asked before
        try:
            return zipfile.ZipFile(self.wheel)
        except OSError as error:
            raise ConfigError(f"{self.wheel} cannot be read: {error.strerror or error}") from error
        except zipfile.BadZipFile as error:
            raise ConfigError(f"{self.wheel} is no wheel: {error}") from error

    def _member(self, archive: zipfile.ZipFile, file: str, most_bytes: int) -> bytes:
        """What an archive says of a member's size is not believed."""
        try:
            with archive.open(file) as member:
                data = member.read(most_bytes + 1)
        except KeyError as error:
            raise ConfigError(f"{self.wheel} has no file {file}") from error
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise ConfigError(f"{self.wheel}: {file} cannot be unpacked: {error}") from error
        if len(data) > most_bytes:
            raise ConfigError(f"{self.wheel}: {file} is larger than {most_bytes} bytes")
        return data


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
