from __future__ import annotations

import msgspec

from yuzui.core.documents import DocumentRules, DocumentText


def test_nothing_is_read_and_nothing_counts_as_read_unless_somebody_says_so() -> None:
    assert not DocumentRules().enabled and not DocumentRules().trust_ocr
    assert not DocumentText(text="some").is_complete
    assert not msgspec.msgpack.decode(msgspec.msgpack.encode({"text": "some"}), type=DocumentText).is_complete
