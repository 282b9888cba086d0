"""Skeletons: named joints and bones, a catalogue of those in use, and the conversion between them by joint name."""

from posediff.skeletons.catalogue import (
    BLAZEPOSE33,
    BODY25,
    CATALOGUE,
    COCO17,
    H36M17,
    HALPE26,
    KINECT22,
    KINECT25,
    MPII16,
    OPENPOSE18,
    get,
)
from posediff.skeletons.skeleton import Skeleton, conversion
from posediff.skeletons.vocabulary import canonical

__all__ = [
    "BLAZEPOSE33",
    "BODY25",
    "CATALOGUE",
    "COCO17",
    "H36M17",
    "HALPE26",
    "KINECT22",
    "KINECT25",
    "MPII16",
    "OPENPOSE18",
    "Skeleton",
    "canonical",
    "conversion",
    "get",
]
