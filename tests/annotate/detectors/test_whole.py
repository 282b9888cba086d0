import numpy as np

from posediff.annotate.detectors.whole import make
from posediff.annotate.settings import Settings


def test_the_whole_picture_is_the_one_box():
    detector = make(Settings(detector="whole"))
    np.testing.assert_array_equal(detector.detect(np.zeros((30, 40, 3), np.uint8)), [[0, 0, 40, 30, 1]])
    assert detector.provenance == {"detector": "whole"}
