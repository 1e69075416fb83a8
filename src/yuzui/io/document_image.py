"""What a picture says, recognised by models that come inside a wheel. Runs in the process for documents, nowhere else.

Recognition misses text and misreads it, so what it says is never all that is there: `by_ocr` tells.
"""

from __future__ import annotations

import importlib
import re
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from yuzui.core.documents import DocumentText
from yuzui.io.document_protocol import ReadOrder

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
LEAST_SCORE: Final = 0.8  # below it a line was guessed
_WORDS: Final = re.compile(rb"[\x20-\x7e]{6,}")
_MODELS: Final = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}


class Recogniser:
    """RapidOCR with the models of its own wheel, named one by one: a missing file is an error, never a download."""

    def __init__(self) -> None:
        """Raise `ImportError` where it is not installed, `FileNotFoundError` when its wheel has other models."""
        module: Any = importlib.import_module("rapidocr")  # Any: an optional package
        importlib.import_module("onnxruntime")
        self._images: Any = importlib.import_module("PIL.Image")
        self._operations: Any = importlib.import_module("PIL.ImageOps")
        self._numpy: Any = importlib.import_module("numpy")
        folder = Path(str(module.__file__)).parent / "models"
        params: dict[str, object] = {
            "Global.log_level": "critical",
            "Global.text_score": 0.0,  # what it is unsure of must be told, not dropped
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        }
        for part, name in _MODELS.items():
            if not (folder / name).is_file():
                raise FileNotFoundError(f"this version of rapidocr does not bring {name}")
            params[f"{part}.model_path"] = str(folder / name)
        self._engine = module.RapidOCR(params=params)
        self._engine(self._numpy.full((64, 64, 3), 255, dtype="uint8"))  # models are loaded by their first picture

    def read_file(self, order: ReadOrder) -> DocumentText:
        """Text of a picture file, and of what is written beside its pixels."""
        try:
            with self._images.open(BytesIO(order.data), formats=FORMATS) as image:
                if image.width * image.height > order.max_pixels:  # known before anything is unpacked
                    return DocumentText(reason="pixels")
                frames = getattr(image, "n_frames", 1)
                beside = _beside_pixels(image)
                shown = self._operations.exif_transpose(image).convert("RGB")
        except self._images.DecompressionBombError:
            return DocumentText(reason="pixels")
        except (OSError, ValueError, SyntaxError):  # what Pillow raises for broken files
            return DocumentText(reason="damaged")
        read = self.read_picture(shown, order.max_chars)
        return DocumentText(
            text=f"{read.text}\n{beside}"[: order.max_chars],
            is_complete=read.is_complete and frames == 1,
            by_ocr=True,
            reason=read.reason or ("frames" if frames > 1 else ""),
        )

    def read_picture(self, image: Any, max_chars: int) -> DocumentText:  # Any: a PIL image in memory
        """Lines of a picture, from top to bottom."""
        result = self._engine(self._numpy.asarray(image.convert("RGB"))[:, :, ::-1])
        lines, scores = result.txts or (), result.scores or ()
        is_sure = all(score >= LEAST_SCORE for score in scores)
        text = "\n".join(lines)
        reason = "" if is_sure else "unsure"
        if len(text) > max_chars:
            text, reason = text[:max_chars], "length"
        return DocumentText(text=text, is_complete=not reason, by_ocr=True, reason=reason)


def _beside_pixels(image: Any) -> str:  # Any: a PIL image
    """Comments, EXIF and other words in the file."""
    found: list[str] = []
    for value in image.info.values():
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, bytes):
            found += [word.decode("ascii") for word in _WORDS.findall(value.replace(b"\0", b""))]
    return "\n".join(found)
