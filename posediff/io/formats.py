"""The names of the file formats."""

from __future__ import annotations

#: Every format and the module of posediff.io that holds it, in the order in which content is tried.
FORMATS = {
    "native": "native",
    "mmpose": "mmpose",
    "coco": "coco",
    "openpose": "openpose",
    "alphapose": "alphapose",
    "finediving-pose": "finediving_pose",
    "labelme": "labelme",
    "npy": "arrays",
    "hp-mcore": "hp_mcore",
    "npz": "arrays",
    "kinect": "kinect",
    "c3d": "c3d",
    "sleap": "sleap",
    "deeplabcut": "deeplabcut",
}
