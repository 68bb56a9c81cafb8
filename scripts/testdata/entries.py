"""Prints a line for every entry below a folder, as the manifests in testdata/ hold them.

    entries.py FOLDER

A line is `KIND MODE MTIME SIZE SHA256 PATH [xattr:NAME=VALUE …] [same:PATH]`; a symlink has its target in place of the
hash. What is not a plain character is `%XX` in paths, targets and values; `same` is the first other name of a hard link.
"""

import hashlib
import os
import stat
import sys

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "chardev",
    stat.S_IFBLK: "dev",
}
PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-"


def quote(text):
    return "".join(chr(b) if b in PLAIN else "%%%02x" % b for b in text)


def entries(folder, below):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        inside = os.path.join(below, name)
        yield path, inside
        if stat.S_ISDIR(os.lstat(path).st_mode):
            yield from entries(path, inside)


root = os.fsencode(sys.argv[1])
seen = {}
for path, inside in entries(root, b""):
    about = os.lstat(path)
    kind = KINDS[stat.S_IFMT(about.st_mode)]
    size, digest = 0, "-"
    if kind == "file":
        with open(path, "rb") as file:
            content = file.read()
        size, digest = len(content), hashlib.sha256(content).hexdigest()
    elif kind == "symlink":
        digest = quote(os.readlink(path))
    seconds, nanoseconds = divmod(about.st_mtime_ns, 10**9)
    fields = [kind, "%04o" % stat.S_IMODE(about.st_mode), "%d.%09d" % (seconds, nanoseconds), str(size), digest, quote(inside)]
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if name.startswith("user."):
            fields.append("xattr:%s=%s" % (quote(os.fsencode(name)), quote(os.getxattr(path, name, follow_symlinks=False))))
    if kind != "dir" and about.st_nlink > 1:
        first = seen.setdefault((about.st_dev, about.st_ino), inside)
        if first != inside:
            fields.append("same:" + quote(first))
    print(" ".join(fields))
