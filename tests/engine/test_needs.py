import pytest

from posediff.engine.needs import require
from posediff.errors import MissingDependency


def test_the_first_library_that_is_missing_is_named_with_its_cure():
    require("json", "numpy", purpose="training")
    with pytest.raises(MissingDependency, match="training needs no_such_library") as caught:
        require("json", "no_such_library", "nor_this", purpose="training")
    assert caught.value.hint == 'pip install "posediff[train]"'
