"""Static and small embeddings out of wheels against ours: on MMLU, alone and beside what we have.

`embed.py` makes the vectors with a Python that has the packages; they are no dependency of anything here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from routing_bench.corpora import mmlu
from routing_bench.measured import Scored, gains_of, router_for, scored


def compare(path: Path) -> dict[str, Any]:  # Any: JSON
    """`path`: a folder with one `.npy` per embedding, rows in the order of the corpus."""
    from sklearn.linear_model import RidgeCV

    corpus = mmlu()
    router = router_for(corpus, corpus.part("train"), wants_cascade=False)
    test = corpus.part("test")
    ours = scored(router, corpus, test, "up_front")
    splits = np.array([example.split for example in corpus.examples])
    gains = gains_of(corpus, corpus.examples)
    figures: dict[str, Any] = {"ours": {"apgr": ours.as_json()["apgr"]}}
    for file in sorted(path.glob("*.npy")):
        vectors = np.load(file, allow_pickle=False)
        model = RidgeCV(alphas=(1, 3, 10, 30, 100)).fit(vectors[splits == "train"], gains[splits == "train"])
        alone = model.predict(vectors[splits == "test"])
        beside = ours.predicted / ours.predicted.std() + 0.5 * alone / alone.std()
        figures[file.stem] = {
            "dimensions": vectors.shape[1],
            "apgr_alone": Scored(predicted=alone, gains=ours.gains, unlike=0).as_json()["apgr"],
            "apgr_beside_ours": Scored(predicted=beside, gains=ours.gains, unlike=0).as_json()["apgr"],
        }
    return figures
