import errno
import hashlib
import http.server
import io
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import BadData, BadSetting, CannotWrite, PosediffError
from posediff.weights import files as weights
from posediff.weights.files import KNOWN, find, place, provenance

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def archive(**members):
    """A zip archive of the members ``name=bytes``; ``__`` stands for a folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "/") + ".onnx", data)
    return stream.getvalue()


FILES = {
    "/net.pth": CONTENT,
    "/model.zip": archive(folder__end2end=b"model", folder__other=b"another"),
    "/empty.zip": archive(),
    "/false.zip": b"not an archive",
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://weights.invalid/net.pth")
            self.end_headers()
        elif self.path == "/cut.pth":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:100])
        elif self.path == "/mute.pth":
            self.server.released.wait(20)
        elif self.path in FILES:
            self.send_response(200)
            self.send_header("Content-Length", str(len(FILES[self.path])))
            self.end_headers()
            self.wfile.write(FILES[self.path])
        else:
            self.send_error(404)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache" / "weights"


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        running.asked, running.released = [], threading.Event()
        running.address = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.released.set()
        running.shutdown()


def files_of(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_local_file_comes_before_everything_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("yolox-m").write_bytes(b"mine")
    assert find("yolox-m") == Path("yolox-m")
    assert find(str(tmp_path / "yolox-m"), url="http://127.0.0.1:1/x") == tmp_path / "yolox-m"


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "net.pth").write_bytes(b"mine")
    assert find("~/net.pth") == tmp_path / "net.pth"


def test_a_download_is_kept_and_asked_for_once(server, cache, capsys):
    url = f"{server.address}/net.pth"
    first = find("net", url=url, sha256=SHA256)
    assert (first, first.read_bytes()) == (place(url), CONTENT)
    assert find("net", url=url, sha256=SHA256) == first
    assert server.asked == ["/net.pth"]
    assert files_of(cache) == sorted([first.name, f"{first.name}.sha256"])
    assert "downloading" in capsys.readouterr().err


def test_an_address_is_a_name_too_and_the_same_file_name_elsewhere_is_another_file(server, cache):
    one, other = f"{server.address}/net.pth", f"{server.address}/x/../net.pth"
    assert find(one).read_bytes() == CONTENT
    assert place(one) != place(other)


def test_a_file_address_works_as_well(tmp_path):
    (tmp_path / "net.pth").write_bytes(CONTENT)
    found = find("net", url=(tmp_path / "net.pth").as_uri(), sha256=SHA256[:8])
    assert provenance(found) == {"weights": found.name, "sha256": SHA256}


def test_a_file_in_the_cache_is_found_by_its_name(cache):
    cache.mkdir(parents=True)
    (cache / "own.onnx").write_bytes(b"own")
    assert find("own.onnx") == cache / "own.onnx"


def test_a_wrong_checksum_shows_both_and_keeps_nothing(server, cache):
    with pytest.raises(BadData, match=f"{SHA256}, expected {'0' * 64}"):
        find("net", url=f"{server.address}/net.pth", sha256="0" * 64)
    assert files_of(cache) == []


def test_what_was_trusted_once_is_checked_ever_after(server, cache):
    url = f"{server.address}/net.pth"
    kept = find("net", url=url)
    kept.write_bytes(b"changed")
    with pytest.raises(BadData, match=hashlib.sha256(b"changed").hexdigest()) as caught:
        find("net", url=url)
    assert str(kept) in caught.value.hint


def test_a_file_that_somebody_put_into_the_cache_is_checked_from_then_on(cache):
    kept = place(KNOWN["rtmpose-m"].url)
    cache.mkdir(parents=True)
    kept.write_bytes(b"by hand")
    assert find("rtmpose-m") == kept
    kept.write_bytes(b"changed")
    with pytest.raises(BadData, match="SHA-256"):
        find("rtmpose-m")


def test_a_local_file_that_is_not_the_expected_one_is_refused(tmp_path):
    (tmp_path / "net.pth").write_bytes(b"other")
    with pytest.raises(BadData, match=SHA256):
        find(tmp_path / "net.pth", sha256=SHA256)


def test_of_an_archive_the_model_is_kept(server, cache):
    url = f"{server.address}/model.zip"
    digits = hashlib.sha256(FILES["/model.zip"]).hexdigest()
    found = find("model", url=url, sha256=digits)
    assert (found.suffix, found.read_bytes()) == (".onnx", b"model")
    assert find("model", url=url, sha256=digits) == found
    assert files_of(cache) == sorted([found.name, f"{found.name}.sha256"])


@pytest.mark.parametrize(("name", "says"), [("/empty.zip", "holds 0"), ("/false.zip", "not a zip")])
def test_an_archive_without_a_model_is_refused_and_not_kept(server, cache, name, says):
    with pytest.raises(BadData, match=says):
        find("model", url=server.address + name)
    assert files_of(cache) == []


@pytest.mark.parametrize(("name", "says"), [("/absent.pth", "HTTP 404"), ("/cut.pth", "100 of 7000 bytes")])
def test_a_failed_download_says_how_and_what_to_do_without_it(server, cache, name, says):
    with pytest.raises(PosediffError, match=says) as caught:
        find("net", url=server.address + name)
    assert "put the file at" in caught.value.hint
    assert files_of(cache) == []


def test_no_network_is_told_as_such_and_the_caller_s_hint_is_shown():
    with pytest.raises(PosediffError, match="refused") as caught:
        find("net", url="http://127.0.0.1:9/net.pth", hint="ask somebody")
    assert caught.value.hint == "ask somebody"


def test_a_server_that_does_not_answer_is_given_up(server, monkeypatch):
    monkeypatch.setattr(weights, "TIMEOUT", 0.05)
    with pytest.raises(PosediffError, match="timed out"):
        find("net", url=f"{server.address}/mute.pth")


@pytest.mark.parametrize("url", ["http://weights.invalid/net.pth", "ftp://127.0.0.1/net.pth"])
def test_only_https_is_downloaded_from_elsewhere(url):
    with pytest.raises(BadSetting, match="https only"):
        find("net", url=url)


@pytest.mark.parametrize("url", ["https://[bad/net.pth", "https://weights.invalid", "https://weights.invalid/%00"])
def test_an_address_that_names_no_file_is_refused(url):
    with pytest.raises(BadSetting, match="names no file"):
        find(url)


def test_a_redirection_cannot_lead_away_from_https(server, cache):
    with pytest.raises(BadSetting, match=r"weights\.invalid"):
        find("net", url=f"{server.address}/moved")


def test_a_full_disk_is_told_and_leaves_nothing_behind(server, cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(CannotWrite, match="No space left") as caught:
        find("net", url=f"{server.address}/net.pth")
    assert "POSEDIFF_CACHE" in caught.value.hint
    assert [name for name in files_of(cache) if not name.endswith(".sha256")] == []


def test_a_cache_that_cannot_be_made_is_told(tmp_path, server, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POSEDIFF_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CannotWrite, match="cache"):
        find("net", url=f"{server.address}/net.pth")


@pytest.mark.parametrize("sha256", ["abc", "z" * 64, "a" * 65])
def test_a_checksum_that_is_none_is_refused(sha256):
    with pytest.raises(BadSetting, match="SHA-256"):
        find("net", url="https://weights.invalid/net.pth", sha256=sha256)


@given(st.text(min_size=1).filter(lambda text: "://" not in text))
def test_a_name_that_means_nothing_is_bad_data_whatever_it_is(text):
    if not Path(text.replace("\0", "_")[:200]).exists():
        with pytest.raises(BadData):
            find(text + "?")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(BadData, match="folder"):
        find(tmp_path)


def test_the_published_digits_are_those_in_the_file_s_name():
    for known in KNOWN.values():
        assert known.url.startswith("https://")
        assert not known.sha256 or f"-{known.sha256}." in known.url


def test_without_a_named_cache_it_is_the_user_s(tmp_path, monkeypatch):
    monkeypatch.delenv("POSEDIFF_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert weights.cache_folder() == tmp_path / ".cache" / "posediff" / "weights"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert weights.cache_folder() == tmp_path / "other" / "posediff" / "weights"
