"""Files that are no image that Pillow reads, named by their first bytes."""

from pathlib import Path

_BRANDS = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"
    ),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    b"crx ": "a raw photo (CR3)",
}
"""Of files in the ISO base media format; other brands are films."""
_STARTS = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"II*\x00": "a TIFF of a rare kind or a raw photo",
    b"MM\x00*": "a TIFF of a rare kind or a raw photo",
    b"FUJIFILMCCD-RAW": "a raw photo (RAF)",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"<?xml": "XML or SVG",
    b"PK\x03\x04": "an archive (ZIP)",
    b"\x1aE\xdf\xa3": "a film (Matroska or WebM)",
    b"\x89HDF": "HDF5",
    b"\x93NUMPY": "a NumPy array",
}
_OTHERS = {
    b"version https://git-lfs": "it is a pointer of Git LFS: run git lfs pull",
    b"<!doctype html": "it is a web page, as a failed download leaves it",
    b"<html": "it is a web page, as a failed download leaves it",
}


def what_it_is(path: str | Path) -> str:
    """What a file is that Pillow cannot identify, and what to do, as the end of an error."""
    with open(path, "rb") as file:
        start = file.read(64)
    if not start:
        return "it is empty"
    text = start.lstrip().lower()
    for begin, found in _OTHERS.items():
        if text.startswith(begin):
            return found
    name = next((name for begin, name in _STARTS.items() if start.startswith(begin)), "")
    if start[4:8] == b"ftyp":
        name = _BRANDS.get(start[8:12], "a film (MP4 or MOV)")
    if not name:
        return "no format that Pillow knows"
    return f"it is {name}, which Pillow does not read; save it as JPEG or PNG"
