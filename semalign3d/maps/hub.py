"""Networks of `transformers`: local folders, or models of the Hugging Face hub."""

import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..files.digest import file_digest, values_digest

if TYPE_CHECKING:
    import torch

CONFIGS = ("config.json", "preprocessor_config.json")
WEIGHTS = "*.safetensors"
INDEX = "*.safetensors.index.json"
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@dataclass(frozen=True)
class PretrainedModel:
    """A network that is named by a local folder or by an id of the hub.

    Attributes
    ----------
    name : the folder, or the hub id (`owner/model`).
    what : what errors call it, e.g. `depth model`.
    key : the configuration key that names it, for hints.
    configs : files besides the weights that it needs.
    """

    name: str
    what: str
    key: str
    configs: tuple[str, ...] = CONFIGS

    @property
    def hint(self) -> str:
        return (
            "Without a connection to the hub, run the target fetch_models where there is one (with "
            "the same HF_HOME), or download the model elsewhere and give the local folder that "
            f"holds {', '.join(self.configs)} and model.safetensors in {self.key}."
        )

    def folder(self) -> Path:
        """The folder with the model's files; a model of the hub is downloaded once.

        Raises
        ------
        InputError : no such folder, an incomplete one, or the hub cannot be reached.
        """
        if Path(self.name).is_dir():
            return self._complete(Path(self.name))
        if not _HUB_ID.fullmatch(self.name):
            raise InputError(
                f"{self.what} {self.name!r}: no such folder, and not a model id of the hub"
            )
        return self._complete(_snapshot(self))

    def identity(self) -> str:
        """What makes its results, for stamps, without loading it.

        Of a local folder: a digest of weights and settings. Of a model of the hub: its id and
        commit; a model that is in the cache stays as it is.

        Raises
        ------
        InputError : as `folder`.
        """
        folder = self.folder()
        if not Path(self.name).is_dir():
            return f"{self.name}@{folder.name}"
        files = [*(folder / name for name in self.configs), *sorted(folder.glob(WEIGHTS))]
        return values_digest(**{path.name: file_digest(path) for path in files})

    def _complete(self, folder: Path) -> Path:
        missing = [name for name in self.configs if not (folder / name).is_file()]
        if not any(folder.glob(WEIGHTS)):
            missing.append("model.safetensors")
        if missing:
            raise InputError(
                f"{self.what} {folder}: the folder lacks {', '.join(missing)}", hint=self.hint
            )
        return folder

    def load(self, loader: Any, dtype: "torch.dtype") -> Any:
        """The network in evaluation mode, from local safetensors, never from pickles or code.

        Parameters
        ----------
        loader : an Auto class of `transformers`.

        Raises
        ------
        InputError : files that do not fit each other, or weights that lack a parameter.
        """
        from transformers.utils import logging as transformers_logging

        if not sys.stderr.isatty():
            transformers_logging.disable_progress_bar()
        network, report = self._loaded(
            loader, dtype=dtype, use_safetensors=True, output_loading_info=True
        )
        missing = sorted(report["missing_keys"])
        if missing:
            raise InputError(
                f"{self.what} {self.folder()}: the weights lack {', '.join(missing[:5])}"
            )
        return network.eval().requires_grad_(False)

    def image_processor(self) -> Any:
        """The image processor that came with the network.

        Raises
        ------
        InputError : it cannot be read.
        """
        from transformers import AutoImageProcessor

        return self._loaded(AutoImageProcessor)

    def _loaded(self, loader: Any, **settings: Any) -> Any:
        folder = self.folder()
        try:
            return loader.from_pretrained(folder, local_files_only=True, **settings)
        except Exception as error:  # transformers raises many types on damaged folders
            raise InputError(f"{self.what} {folder}: cannot be loaded ({error})") from error


@functools.cache
def _snapshot(model: PretrainedModel) -> Path:
    """The hub's cached snapshot of a model, downloaded where there is none yet."""
    from huggingface_hub import is_offline_mode, snapshot_download

    patterns = [*model.configs, WEIGHTS, INDEX]
    try:
        folder = Path(snapshot_download(model.name, allow_patterns=patterns, local_files_only=True))
        if any(folder.glob(WEIGHTS)):
            return folder
    except OSError:
        pass  # not in the cache
    try:
        return Path(snapshot_download(model.name, allow_patterns=patterns))
    except Exception as error:  # connection, name, access: many types, one remedy
        reason = [*str(error).strip().splitlines(), type(error).__name__][0]
        if is_offline_mode():
            reason = "it is not in the cache, and HF_HUB_OFFLINE forbids to fetch it"
        raise InputError(
            f"{model.what} {model.name!r}: neither a local folder nor to be had from the hub "
            f"({reason})",
            hint=model.hint,
        ) from error
