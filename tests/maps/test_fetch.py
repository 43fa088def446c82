"""Networks fetched ahead: from a server on this machine, checked by their hash."""

import functools
import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from semalign3d.errors import InputError
from semalign3d.maps.fetch import fetch_hub_model, fetch_sam
from semalign3d.maps.hub import PretrainedModel
from semalign3d.maps.masks import sam_registry

CONTENT = b"weights of a network" * 1000
START = hashlib.sha256(CONTENT).hexdigest()[:6]


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A published checkpoint: a file served over HTTP, its name ending with its hash."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / f"sam_vit_b_{START}.pth").write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/sam_vit_b_{START}.pth"
    monkeypatch.setitem(sam_registry.PUBLISHED, "vit_b", address)
    yield address
    server.shutdown()
    server.server_close()


def test_published_names_carry_the_known_hashes():
    ends = {kind: Path(url).stem[-6:] for kind, url in sam_registry.PUBLISHED.items()}
    assert ends == {"vit_h": "4b8939", "vit_l": "0b3195", "vit_b": "01ec64"}


def test_a_checkpoint_is_fetched_once_and_checked(url, tmp_path, monkeypatch):
    target = tmp_path / "new" / "sam.pth"
    assert START in fetch_sam("vit_b", target)
    assert target.read_bytes() == CONTENT
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *a, **k: pytest.fail("again"))
    assert START in fetch_sam("vit_b", target)
    assert [path.name for path in target.parent.iterdir()] == ["sam.pth"]


def test_a_checkpoint_that_is_not_the_published_one(url, tmp_path):
    target = tmp_path / "sam.pth"
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(
        InputError, match=f"not the published vit_b.*expected {START}[\\s\\S]*{url}"
    ):
        fetch_sam("vit_b", target)
    assert target.read_bytes() == CONTENT[:-1]


def test_a_download_of_other_bytes_leaves_nothing(url, tmp_path):
    served = tmp_path / "served" / f"sam_vit_b_{START}.pth"
    served.write_bytes(b"another file")
    with pytest.raises(InputError, match=r"cannot be fetched from http[\s\S]*put it there"):
        fetch_sam("vit_b", tmp_path / "new" / "sam.pth")
    assert not list((tmp_path / "new").iterdir())


def test_no_connection(tmp_path, monkeypatch):
    monkeypatch.setitem(sam_registry.PUBLISHED, "vit_b", f"http://127.0.0.1:9/sam_{START}.pth")
    with pytest.raises(InputError, match=r"sam\.pth: cannot be fetched"):
        fetch_sam("vit_b", tmp_path / "sam.pth")


def test_other_checkpoints_are_taken_as_they_are(tmp_path):
    with pytest.raises(InputError, match="does not exist and is not published"):
        fetch_sam("vit_demo", tmp_path / "sam.pth")
    (tmp_path / "sam.pth").write_bytes(b"x")
    assert "unchecked" in fetch_sam("vit_demo", tmp_path / "sam.pth")


def test_a_hub_model_without_permission_to_fetch_it(monkeypatch, tmp_path):
    """HF_HUB_OFFLINE is honoured, and the error says what to put where."""

    def refuse(*args, **kwargs):
        raise OSError("offline")

    monkeypatch.setattr("huggingface_hub.is_offline_mode", lambda: True)
    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE forbids") as caught:
        fetch_hub_model(PretrainedModel("nobody/fetched", "depth model", "depth.model"))
    for text in ("fetch_models", "HF_HOME", "model.safetensors in depth.model"):
        assert text in str(caught.value)
