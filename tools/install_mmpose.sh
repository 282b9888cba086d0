#!/usr/bin/env bash
# Make mmpose 1.3.2 work on a current torch, in a new or an existing virtual environment, and prove it.
#
#   tools/install_mmpose.sh [FOLDER]        FOLDER: the environment, by default .venv-mmpose
#
# PYTHON names the interpreter of a new environment (default python3). TORCH names what torch to install, for instance
# "torch==2.9.1 torchvision==0.24.1"; an installed torch stays. PIP_* variables (index, cache) work as always.
#
# Why this is a script: mmpose declares chumpy, whose setup.py imports pip and so builds only without isolation;
# xtcocotools is built for numpy 1; mmdet is imported but not declared, and refuses mmcv 2.2; full mmcv has no wheel
# for a current torch, and mmcv-lite lacks mmcv.ops, for which posediff puts a placeholder; mmengine imports
# pkg_resources, which setuptools 81 drops.
set -euo pipefail

case "${1:-}" in
-h | --help)
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
-*)
    printf 'install_mmpose: no such option: %s (see --help)\n' "$1" >&2
    exit 2
    ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-.venv-mmpose}
read -r -a torch <<<"${TORCH:-torch torchvision}"

say() { printf '== %s\n' "$*"; }

if [[ ! -x $folder/bin/python ]]; then
    say "new environment: $folder"
    "${PYTHON:-python3}" -m venv "$folder"
fi
python=$folder/bin/python
if ! "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 12))'; then
    printf 'install_mmpose: %s is %s; xtcocotools has wheels for Python 3.10 and 3.11\n' "$folder" \
        "$("$python" --version)" >&2
    printf 'hint: PYTHON=python3.11 %s OTHER_FOLDER\n' "$0" >&2
    exit 2
fi

say "build tools"
"$python" -m pip install --quiet --upgrade pip wheel "setuptools<81" "numpy<2"

if "$python" -c 'import torch, torchvision' 2>/dev/null; then
    say "torch is there"
else
    say "torch: ${torch[*]}"
    "$python" -m pip install --quiet "${torch[@]}" "numpy<2"
fi

say "chumpy, without build isolation"
"$python" -m pip install --quiet --no-build-isolation chumpy

say "mmpose and posediff"
"$python" -m pip install --quiet --editable "${root}[annotate,mmpose]"

say "self-check"
"$python" -W ignore - <<'PYTHON'
"""Build a ResNet-18 SimpleBaseline, save it, read it as posediff does, and find somebody's joints with it."""
import tempfile
import time
from pathlib import Path

import numpy as np

from posediff.annotate.estimators.mmpose import MmposeEstimator, import_mmpose

CONFIG = """
default_scope = "mmpose"
codec = dict(type="MSRAHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="ResNet", depth=18),
    head=dict(type="HeatmapHead", in_channels=512, out_channels=17, decoder=codec,
              loss=dict(type="KeypointMSELoss", use_target_weight=True)),
    test_cfg=dict(flip_test=False),
)
dataset = dict(
    type="CocoDataset", data_mode="topdown", data_root="", ann_file="",
    pipeline=[
        dict(type="LoadImage"),
        dict(type="GetBBoxCenterScale"),
        dict(type="TopdownAffine", input_size=(192, 256)),
        dict(type="PackPoseInputs"),
    ],
)
train_dataloader = test_dataloader = dict(dataset=dataset)
"""

import_mmpose()
import mmcv
import mmdet
import mmengine
import mmpose
import torch
from mmpose.apis import init_model

with tempfile.TemporaryDirectory() as folder:
    config, weights = Path(folder, "net.py"), Path(folder, "net.pth")
    config.write_text(CONFIG)
    torch.save({"state_dict": init_model(str(config), device="cpu").state_dict()}, weights)
    estimator = MmposeEstimator(config, weights)
picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
start = time.perf_counter()
poses = estimator.estimate(picture, np.array([[200.0, 100, 300, 400]]), np.array([90.0]))
seconds = time.perf_counter() - start
if poses.keypoints.shape != (1, 17, 2) or estimator.skeleton.name != "coco17":
    raise SystemExit(f"the network gave {poses.keypoints.shape} on {estimator.skeleton.name}")
libraries = [torch, mmpose, mmdet, mmcv, mmengine, np]
print(", ".join(f"{library.__name__} {library.__version__}" for library in libraries))
print(f"a ResNet-18 SimpleBaseline found 17 joints on {estimator.provenance['device']} in {seconds:.2f} s")
PYTHON
say "done: $folder/bin/posediff annotate --pose mmpose --config CONFIG --weights CHECKPOINT"
