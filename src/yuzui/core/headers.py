"""An upstream's headers as the codecs read them: by name, on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from typing_extensions import override


class HeaderView(Mapping[str, str]):
    """Reads one header at a time with `header`, which knows no others."""

    def __init__(self, header: Callable[[str], str | None]) -> None:
        self._header = header

    @override
    def __getitem__(self, name: str) -> str:
        value = self._header(name)
        if value is None:
            raise KeyError(name)
        return value

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(())  # codecs ask for names they know; nothing is ever relayed wholesale

    @override
    def __len__(self) -> int:
        return 0
