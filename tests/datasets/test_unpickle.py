import copyreg
import os
import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posediff.datasets import unpickle
from posediff.datasets.unpickle import load_plain
from posediff.errors import BadData
from tests.fixtures.data import data_root

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

KEYS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.tuples(st.text(max_size=3), st.integers())
VALUES = st.recursive(
    KEYS
    | st.floats(allow_nan=False)
    | st.binary(max_size=5)
    | st.complex_numbers(allow_nan=False)
    | st.sets(st.integers()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.tuples(inner, inner)
        | st.frozensets(st.text(max_size=2))
    ),
    max_leaves=8,
)
DTYPES = ["bool", "int8", "uint16", "<i4", ">i8", "float16", "<f4", ">f8", "complex128", "<U3", ">U2", "S4"]

#: A clip as FineDiving's table has it: two arrays, texts and numbers.
CLIP = {("01", 1): ["407c", 88.0, np.float64(3.2), np.array([2, 34]), {"labels": np.zeros(9, int)}]}


class Reduced:
    """What pickle writes as a call of any function, and a state that is set afterwards."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


class Plain:
    """An object with attributes."""

    def __init__(self):
        self.name = "a"


def dtype(state):
    """A dtype that is restored with another state than its own."""
    return Reduced(np.dtype, ("i8", False, True), (3, *state))


def array(*stated):
    """An array of a stated shape, dtype and content."""
    reconstruct = np.array(0).__reduce__()[0], (np.ndarray, (0,), b"b")
    if not stated:
        return Reduced(*reconstruct)
    shape, code, content = stated
    return Reduced(*reconstruct, (1, shape, np.dtype(code), False, content))


def loaded(data: bytes, folder: Path):
    path = folder / "labels.pkl"
    path.write_bytes(data)
    return load_plain(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pickles")


@given(value=VALUES, protocol=st.sampled_from(PROTOCOLS))
def test_plain_data_comes_back_as_it_was(value, protocol, folder):
    back = loaded(pickle.dumps(value, protocol), folder)
    assert back == value
    assert type(back) is type(value)


@given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    ),
    by_columns=st.booleans(),
    protocol=st.sampled_from(PROTOCOLS),
)
@settings(max_examples=200)
def test_arrays_come_back_as_they_were(array, by_columns, protocol, folder):
    array = np.asarray(array, order="F" if by_columns else "C")
    back = loaded(pickle.dumps([array, array.dtype], protocol), folder)
    assert type(back[0]) is np.ndarray
    assert back[0].tobytes() == array.tobytes()
    assert (back[0].shape, back[0].dtype, back[1]) == (array.shape, array.dtype, array.dtype)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", [np.float64(0.1), np.int32(-7), np.bool_(True), np.str_("dive"), np.uint8(200)])
def test_scalars_come_back_as_they_were(value, protocol, folder):
    back = loaded(pickle.dumps((value,), protocol), folder)[0]
    assert type(back) is type(value)
    assert back == value


@pytest.mark.parametrize("module", [b"numpy.core.", b"numpy._core."])
@pytest.mark.parametrize("protocol", [0, 2, 3])
def test_arrays_of_numpy_1_and_2_are_both_read(module, protocol, folder):
    data = pickle.dumps([np.arange(3), np.float32(1.5)], protocol)
    renamed = data.replace(b"numpy._core.", b"numpy.core.").replace(b"numpy.core.", module)
    array, scalar = loaded(renamed, folder)
    assert array.tolist() == [0, 1, 2]
    assert scalar == 1.5


@pytest.mark.parametrize("module", [b"numpy.core.numeric", b"numpy._core.numeric"])
def test_arrays_of_protocol_5_are_read_from_numpy_1_and_2(module, folder):
    data = pickle.dumps(np.arange(3), 5)
    for known in (b"\x8c\x12numpy.core.numeric", b"\x8c\x13numpy._core.numeric"):
        data = data.replace(known, b"\x8c" + bytes([len(module)]) + module)
    frameless = data[:2] + data[11:]  # a frame states its length, which has changed; it may be left out
    assert module in frameless
    assert loaded(frameless, folder).tolist() == [0, 1, 2]


def test_what_python_2_wrote_is_read(folder):
    dtype = b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    number = b"U\x08\x00\x00\x00\x00\x00\x00\xf8?"
    assert loaded(b"\x80\x02cnumpy.core.multiarray\nscalar\n" + dtype + number + b"\x86R.", folder) == 1.5
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01\x85"
    assert loaded(b"\x80\x02" + array + dtype + b"\x89" + number + b"tb.", folder).tolist() == [1.5]
    assert loaded(b"\x80\x02c__builtin__\nset\n]K\x01a\x85R.", folder) == {1}


def test_an_ordered_dict_becomes_a_dict(folder):
    back = loaded(pickle.dumps(OrderedDict(b=1, a=2)), folder)
    assert type(back) is dict
    assert list(back.items()) == [("b", 1), ("a", 2)]


def test_what_is_shared_stays_shared(folder):
    array, shared = np.arange(3), []
    first, second, key = loaded(pickle.dumps([(array, shared), (array, shared), {("a", 1): shared}]), folder)
    assert first[0] is second[0]
    assert first[1] is second[1] is key["a", 1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (os.system, ("touch sprung",), "system"),
        (getattr, ("", "__class__"), r"getattr"),
        (eval, ("open('sprung', 'w')",), "eval"),
        (open, ("sprung", "w"), "open"),
        (np.save, ("sprung.npy", [1]), "save"),
        (np.fromfile, ("labels.pkl",), "fromfile"),
        (np.zeros, (3,), "zeros"),
        (bytearray, (10**12,), "bytearray"),
        (range, (3,), "x?range"),
        (copyreg._reconstructor, (Plain, object, None), "_reconstructor"),
    ],
)
def test_no_function_is_run(function, arguments, named, protocol, folder, monkeypatch):
    monkeypatch.chdir(folder)
    data = pickle.dumps({"score": 1.0, "trap": Reduced(function, arguments)}, protocol)
    with pytest.raises(BadData, match=rf"labels\.pkl: it names [\w.]*\.{named}, expected plain containers") as caught:
        loaded(data, folder)
    assert caught.value.hint
    assert [path.name for path in folder.iterdir() if "sprung" in path.name] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", [Plain, Plain(), np.mean, np.float64, Path("a"), np.ma.array([1])])
def test_classes_and_objects_are_refused(value, protocol, folder):
    with pytest.raises(BadData, match=r"it names|not plain data"):
        loaded(pickle.dumps([value], protocol), folder)


def test_nothing_is_imported(folder):
    assert "this" not in sys.modules
    with pytest.raises(BadData, match=r"it names this\.s, expected"):
        loaded(b"cthis\ns\n.", folder)
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    ("data", "opcode"),
    [
        (b"(S'touch sprung'\nios\nsystem\n.", "INST"),
        (b"(cos\nsystem\nS'touch sprung'\no.", "OBJ"),
        (b"Pnetwork\n.", "PERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x02cbuiltins\nset\n)\x81.", "NEWOBJ"),
    ],
)
def test_opcodes_that_data_does_not_need_are_refused(data, opcode, folder):
    with pytest.raises(BadData, match=rf"opcode {opcode}\)"):
        loaded(data, folder)


@pytest.mark.parametrize(
    "data",
    [b"c_codecs\nencode\n}S'__call__'\nI1\nsb.", b"c_codecs\nencode\nN}S'_make'\nNs\x86b.", b"cbuiltins\nset\n."],
)
def test_the_allowed_functions_can_only_be_called(data, folder):
    with pytest.raises(BadData, match="function"):
        loaded(data, folder)
    assert loaded(pickle.dumps(b"\xff", 2), folder) == b"\xff"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array([{}], object), "dtype 'O8'"),
        (np.zeros(2, [("x", "i4")]), "dtype 'V4'"),
        (np.array("2020-01-01", "M8[D]"), "dtype 'M8'"),
        (dtype(("<", None, ("x",), {"x": (np.dtype("i8"), 0)}, 8, 1, 16)), "records"),
        (dtype(("<", (np.dtype("i8"), (2,)), None, None, 16, 1, 0)), "records"),
        (array(), "unfinished"),
        (array((9,), "i8", b""), "of 0 bytes, expected 72"),
        (array((-1,), "i8", b""), "shape"),
        (array((1,), "U1", b"\xff" * 4), "character"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_of_more_than_numbers_are_refused(value, said, protocol, folder):
    with pytest.raises(BadData, match=said):
        loaded(pickle.dumps({"labels": value}, protocol), folder)


def test_a_container_that_contains_itself_is_refused(folder):
    loop = []
    loop.append({"a": loop})
    with pytest.raises(BadData, match="contains itself"):
        loaded(pickle.dumps(loop), folder)


def test_small_files_that_ask_for_much_memory_are_refused(folder):
    with pytest.raises(BadData, match="2147483647 places in memory"):
        loaded(b"\x80\x02]r\xff\xff\xff\x7f.", folder)
    with pytest.raises(BadData, match="cannot be read"):
        loaded(b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"a.", folder)
    with pytest.raises(BadData, match="cannot be read"):
        loaded(b"]" * 100_000 + b"a" * 99_999 + b".", folder)


def test_a_list_that_holds_another_many_times_costs_no_more_than_it_is(folder):
    nested = []
    for _ in range(60):
        nested = [nested, nested]
    back = loaded(pickle.dumps(nested), folder)
    for _ in range(60):
        assert back[0] is back[1]
        back = back[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_that_is_cut_off_is_told(protocol, folder):
    data = pickle.dumps(CLIP, protocol)
    for length in range(1, len(data), 1 + len(data) // 40):
        with pytest.raises(BadData, match=r"labels\.pkl"):
            loaded(data[:length], folder)


@given(
    changes=st.dictionaries(st.integers(0, 10_000), st.integers(0, 255), min_size=1, max_size=4),
    protocol=st.sampled_from(PROTOCOLS),
)
@settings(max_examples=300)
def test_a_damaged_file_gives_data_or_is_bad_data(changes, protocol, folder):
    data = bytearray(pickle.dumps(CLIP, protocol))
    for place, byte in changes.items():
        data[place % len(data)] = byte
    try:
        value = loaded(bytes(data), folder)
    except BadData:
        return
    assert _is_plain(value)


def _is_plain(value):
    if isinstance(value, dict):
        return all(map(_is_plain, [*value, *value.values()]))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_plain, value))
    plain = (bool, int, float, complex, str, bytes, bytearray, np.generic, np.dtype)
    return value is None or isinstance(value, plain) or type(value) is np.ndarray


@pytest.mark.parametrize("content", [b"", b"clip,score\n", b"\x00" * 100, b"PK\x03\x04", b"."])
def test_what_is_no_pickle_is_told(content, folder):
    with pytest.raises(BadData, match=r"labels\.pkl: (is empty|cannot be read)"):
        loaded(content, folder)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadData, match="no such file"):
        load_plain(tmp_path / "labels.pkl")
    with pytest.raises(BadData, match="cannot be read"):
        load_plain(tmp_path)


def test_only_makers_of_this_module_can_be_reached():
    assert {type(maker) for maker in unpickle._MAKERS.values()} == {unpickle._Maker}


def test_the_published_files_are_read():
    table = load_plain(data_root("finediving", "Annotations", "FineDiving_fine-grained_annotation.pkl"))
    assert len(table) == 3000
    assert table["01", 1]["steps_transit_frames"].tolist() == [2, 34]
    assert load_plain(data_root("mtl_aqa", "test_split_0.pkl"))[0] == (26, 4)
