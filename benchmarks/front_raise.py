"""How well the score of ``compare`` tells good from bad front raises: 2D OpenPose sequences with missing joints.

Each of the 28 sequences is scored against all good ones but itself, and the five nearest are averaged. The figure is
the AUC of good against bad. The settings are those of the UI-PRMD benchmark; nothing is fitted.

    python benchmarks/front_raise.py --data-root DATA --out front_raise.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from exemplars import SETTINGS, auc, bodies, exemplar_scores
from record import provenance

from posediff.io import read_person


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of frontraise_*.npy, or one above it")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    paths = sorted(options.data_root.rglob("frontraise_*.npy"))
    if not paths:
        parser.error(f"{options.data_root} holds no frontraise_*.npy")
    sequences = {path: read_person(path, skeleton="openpose18") for path in paths}
    good = [path for path in paths if "_good_" in path.name]
    ready = dict(zip(good, bodies([sequences[path] for path in good]), strict=True))
    rows = []
    for path in paths:
        exemplars = [body for other, body in ready.items() if other != path]
        rows.append({"file": path.name, "good": path in ready, **exemplar_scores(exemplars, sequences[path])})
    figures = {
        name: auc([row[name] for row in rows if row["good"]], [row[name] for row in rows if not row["good"]])
        for name in ("score", "accuracy", "timing", "smoothness", "range")
    }
    for row in sorted(rows, key=lambda row: -row["score"]):
        print(f"{row['file']:28} {row['score']:6.1f}")
    print("AUC " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    if options.out:
        result = {
            "auc": figures["score"],
            "dimensions": figures,
            "settings": vars(SETTINGS),
            **provenance(),
            "files": rows,
        }
        options.out.write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
