import socketserver
import sys
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from posediff.annotate.footage.container import Log, decoded, opened, read_packets, seek
from posediff.errors import BadData, MissingDependency
from tests.fixtures.videos import numbered, quarters, write_images, write_sound, write_video


def packets_of(path):
    with opened(path) as (container, stream):
        return read_packets(container, stream)


def test_packets_out_of_order_are_put_in_the_order_of_presentation(tmp_path):
    packets = packets_of(write_video(tmp_path / "v.mp4", numbered(20), b_frames=3))
    np.testing.assert_allclose(packets.stamps, np.arange(20) / 25, atol=1e-9)
    assert packets.end == pytest.approx(0.8, abs=0.05)  # the last frame may or may not tell how long it is


def test_stamps_start_with_the_first_frame(tmp_path):
    packets = packets_of(write_video(tmp_path / "v.mkv", numbered(5), times=3 + np.arange(5) / 25))
    assert packets.origin == 3
    np.testing.assert_allclose(packets.stamps, np.arange(5) / 25, atol=1e-9)


def test_the_packets_of_sound_are_not_frames(tmp_path):
    assert packets_of(write_video(tmp_path / "v.mkv", numbered(12), audio=True)).count == 12


def test_a_raw_stream_has_frames_but_no_times(tmp_path):
    packets = packets_of(write_video(tmp_path / "v.h264", numbered(12)))
    assert (packets.count, packets.stamps, packets.raw) == (12, None, True)


def test_hidden_frames_of_vp8_are_not_counted(tmp_path):
    plain = write_video(tmp_path / "plain.webm", numbered(12), codec="libvpx")
    hidden = tmp_path / "hidden.webm"
    import av

    with av.open(str(plain)) as source, av.open(str(hidden), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                data = bytearray(bytes(packet))
                data[0] &= 0xFF if number != 6 else 0xEF  # the bit that shows the frame
                copy = av.Packet(bytes(data))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                target.mux(copy)
    with opened(hidden) as (container, stream):
        shown = [picture.pts for picture in decoded(container, stream, Log())]
    packets = packets_of(hidden)
    assert packets.count == len(shown) == 11
    np.testing.assert_allclose(packets.stamps, np.array(shown) / 1000)


def test_seeking_goes_to_a_key_frame_at_or_before_the_time(tmp_path):
    path = write_video(tmp_path / "v.mp4", numbered(60))
    with opened(path) as (container, stream):
        seek(container, stream, Fraction(50, 25))
        assert next(decoded(container, stream, Log())).time <= 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.mp4", b"", "is no video that can be read"),
        ("text.mp4", b"plain text\n" * 100, "is no video"),
        ("keypoints.json", b'{"keypoints": [[1, 2, 3]]}', "is no video"),
        ("noise.mkv", bytes(np.random.default_rng(0).integers(0, 256, 5000, np.uint8)), "is no video"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://example.invalid/a.ts\n#EXT-X-ENDLIST\n", "is no video"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile 'other.mp4'\n", "is no video"),
    ],
)
def test_what_is_no_video_is_told_in_one_line(tmp_path, name, content, message, capfd):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadData, match=message) as error, opened(path):
        pass
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_an_image_named_like_a_video_is_no_video(tmp_path):
    path = write_images(tmp_path, [quarters()], name="v.png") / "v.png"
    with pytest.raises(BadData, match="is no video but png"), opened(path.rename(tmp_path / "v.mp4")):
        pass


def test_sound_alone_is_no_video(tmp_path):
    with pytest.raises(BadData, match="has no video stream"), opened(write_sound(tmp_path / "sound.m4a")):
        pass


def test_the_cover_picture_of_a_sound_track_is_no_video(tmp_path):
    av = pytest.importorskip("av")
    sound, path = write_sound(tmp_path / "sound.m4a"), tmp_path / "cover.m4a"
    with av.open(str(sound)) as source, av.open(str(path), "w", format="mp4") as target:
        track = target.add_stream_from_template(source.streams.audio[0])
        cover = target.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = track
                target.mux(packet)
        target.mux(cover.encode(av.VideoFrame.from_ndarray(quarters(), format="rgb24")))
        target.mux(cover.encode())
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    with pytest.raises(BadData, match="has no video stream"), opened(path):
        pass


@pytest.mark.parametrize("name", ["a: b.mp4", "http:x.mp4", "100%.mp4", "ü 中.mp4", "pipe:0.mp4"])
def test_a_name_is_never_an_address(tmp_path, name, monkeypatch):
    write_video(tmp_path / "v.mp4", numbered(3)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert packets_of(Path(name)).count == 3


def test_a_list_of_addresses_is_not_followed(tmp_path):
    callers = []

    class Note(socketserver.BaseRequestHandler):
        def handle(self):
            callers.append(self.client_address)

    with socketserver.TCPServer(("127.0.0.1", 0), Note) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/a.ts"
        (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(BadData, match="is no video"), opened(tmp_path / "list.m3u8"):
            pass
        server.shutdown()
        thread.join()
    assert callers == []


def test_a_log_without_faults_says_nothing():
    assert Log(seen=[0, 1, 2]).sentences(np.arange(3), 3) == []


def test_a_log_tells_every_kind_of_fault():
    log = Log(seen=[0, 1, 4, 5], damaged=[4], resized=[5], error="bad bits")
    said = log.sentences(np.arange(8), 20)
    assert said == [
        "2 frames between 2 and 3 could not be decoded: bad bits",
        "stopped at frame 5 of about 20: bad bits",
        "1 frame may look wrong, the first is 4",
        "the size of the picture changes at frame 5: scaled to that of the first",
    ]


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependency, match="reading videos needs PyAV") as error, opened(tmp_path / "v.mp4"):
        pass
    assert "posediff[annotate]" in error.value.hint
