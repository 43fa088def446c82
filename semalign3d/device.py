"""The device that networks run on."""

from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    import torch


def pick_device(name: str) -> "torch.device":
    """The torch device of a name in the configuration.

    Parameters
    ----------
    name : `auto` (an accelerator if there is one, else the CPU), `cpu`, `cuda`, `cuda:<n>` or
        `mps`.

    Raises
    ------
    InputError : another name, or a device that is not there.
    """
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"device {name!r}: expected auto, cpu, cuda, cuda:<n> or mps") from None
    found = torch.accelerator.device_count() if accelerator else 0
    is_accelerator = accelerator is not None and device.type == accelerator.type
    if device.type != "cpu" and not (is_accelerator and (device.index or 0) < found):
        raise InputError(
            f"device {name!r} was asked for, but torch {torch.__version__} finds none here",
            hint="Set runtime.device to auto or cpu, or install a torch build for the device.",
        )
    return device
