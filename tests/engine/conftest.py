import pytest

from posediff.engine.models import MODELS
from tests.engine.tiny import TABLE


@pytest.fixture(scope="package", autouse=True)
def tiny():
    """Let configurations name the model ``tiny``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS, "tiny", TABLE)
        yield
