"""Write the sample annotations: synthetic performances, two of each movement, the same bytes every time.

python tools/make_samples.py [--out annotations/samples]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from posediff.io import write
from posediff.motion.synthetic import Dive, Fault, Performer, Recording, generate
from posediff.sequence import PoseSequence

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "annotations" / "samples"
SIDE = Recording(view="2d", noise=0.004)
#: Filmed by somebody else: another frame rate, pace, distance and place in the picture, and keypoints that are missing.
OTHER = Recording(fps=30, pace=0.8, view="2d", zoom=0.85, shift=(30.0, 12.0), noise=0.006, drop=0.01)
SMALL = Performer(height=1.62, proportions={"thigh": 1.02, "upper_arm": 0.98})


def samples() -> dict[str, PoseSequence]:
    """File names and what they hold."""
    shallow = Fault("left_knee", -28, "bottom")
    bent = Fault("left_elbow", 35, "backswing")
    open_hips = Fault("right_hip", -30, "flight")
    made = {
        "squat_reference": generate("squat", recording=SIDE, seed=1),
        "squat_shallow": generate("squat", performer=SMALL, recording=OTHER, faults=[shallow], seed=2),
        "swing_a": generate("swing", recording=SIDE, seed=3),
        "swing_b": generate("swing", performer=SMALL, recording=OTHER, faults=[bent], seed=4),
        "dive_a": generate(Dive(2.5, "tuck"), recording=SIDE, seed=5),
        "dive_b": generate(Dive(2.5, "tuck"), performer=SMALL, recording=OTHER, faults=[open_hips], seed=6),
        "squat_3d": generate("squat", recording=Recording(azimuth=30.0, noise=0.004), skeleton="h36m17", seed=7),
    }
    return {f"{name}.json": rounded(sequence) for name, sequence in made.items()}


def rounded(sequence: PoseSequence) -> PoseSequence:
    """Coordinates to a tenth of a pixel, or to a millimetre: finer than their noise."""
    return sequence.replace(keypoints=np.round(sequence.keypoints, 3 if sequence.units == "m" else 1))


def main() -> int:
    """Write all samples."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default: annotations/samples)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, sequence in samples().items():
        write(folder / name, sequence)
        print(f"{folder / name}: {len(sequence)} frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
