"""Which jobs ask for a GPU."""

from pathlib import Path

import pytest

from semalign3d.pipeline import gpu


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /dev of a Linux machine without a GPU."""
    monkeypatch.setattr(gpu, "DEVICES", tmp_path)
    monkeypatch.setattr(gpu.platform, "system", lambda: "Linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "null").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("device", "asks"), [("cuda", True), ("cuda:1", True), ("mps", True), ("cpu", False)]
)
def test_a_named_device(device: str, asks: bool, devices: Path) -> None:
    assert gpu.asks_for_gpu(device) is asks


def test_auto_without_a_gpu(devices: Path) -> None:
    (devices / "nvidiactl").touch()
    assert not gpu.asks_for_gpu("auto")


@pytest.mark.parametrize("name", ["nvidia0", "nvidia3", "dxg"])
def test_auto_with_a_gpu(name: str, devices: Path) -> None:
    (devices / name).touch()
    assert gpu.asks_for_gpu("auto")


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_auto_with_a_hidden_gpu(
    hidden: str, devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (devices / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert not gpu.asks_for_gpu("auto")


def test_auto_on_apple_silicon(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(gpu.platform, "machine", lambda: "arm64")
    assert gpu.asks_for_gpu("auto")
