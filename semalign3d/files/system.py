"""Files written whole or not at all; what the file system refuses is told from damaged content."""

import errno
import glob
import os
import re
import tempfile
from pathlib import Path

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
"""What file systems without file locks answer (NFS without a lock daemon, Lustre without flock)."""
_OF_CONTENT = {0, errno.EINVAL, errno.EFBIG, errno.EOVERFLOW}
"""What the system answers where a damaged file leads its reader to a place that can't be."""
_ADVICE = {
    **dict.fromkeys(
        NO_LOCKS,
        "This file system has no file locks: set the environment variable "
        "HDF5_USE_FILE_LOCKING=FALSE and run again",
    ),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room there and run again"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Raise the limit of open files (ulimit -n)"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Give yourself the permission and run again"),
    **dict.fromkeys(
        (errno.EEXIST, errno.EISDIR, errno.ENOTDIR),
        "Something of another kind has that name: move it away",
    ),
    errno.EROFS: "Run in a folder that can be written",
    errno.ENAMETOOLONG: "Give a shorter name",
}
_OTHERWISE = "Run again; if it stays so, ask who looks after this file system"
_IN_TEXT = re.compile(r"errno = (\d+)")


class FileSystemError(OSError):
    """The file system refused to read or write; the content of the file may well be whole."""

    def __str__(self) -> str:
        advice = _ADVICE.get(self.errno or 0, _OTHERWISE)
        return f"{self.filename}: {self.strerror} (errno {self.errno}). {advice}."


def system_error(error: BaseException, path: str | os.PathLike[str]) -> FileSystemError | None:
    """The error of the file system that is behind another error; None if it is none.

    Parameters
    ----------
    error : of an operation on the file; HDF5 may give the number of the system's error in its text.
    path : the file.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (found := _IN_TEXT.search(str(error))):
        number = int(found[1])
    if number is None or number in _OF_CONTENT:
        return None
    return FileSystemError(number, os.strerror(number), os.fspath(path))


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file under a temporary name in its folder, which is made, then move it in place.

    After any exception nothing is left; what a killed process left of the same file is removed.

    Raises
    ------
    FileSystemError : the file system refused.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for older in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
            older.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(".partial", f".{path.name}.", path.parent)
        partial = Path(name)
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.chmod(0o666 & ~_umask())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise system_error(error, path) or error from error


def _umask() -> int:
    """The permissions that a plain open() takes away."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
