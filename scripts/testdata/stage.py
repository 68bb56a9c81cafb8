"""Makes the folder that the repositories in testdata/ hold, in stages: each call changes it to the next state.

    stage.py FOLDER STAGE [SIZE]

SIZE is the length in bytes of the file of several chunks; none is made without it.
"""

import os
import sys

root, stage = os.fsencode(sys.argv[1]), sys.argv[2]
chunked_bytes = int(sys.argv[3]) if len(sys.argv) > 3 else 0


def path(name):
    return os.path.join(root, name)


def write(name, content=b""):
    with open(path(name), "wb") as file:
        file.write(content)


def noise(seed, length):
    """Bytes that do not compress, the same on every machine."""
    out, state = bytearray(), seed
    while len(out) < length:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out += (state >> 32).to_bytes(4, "little")
    return bytes(out[:length])


def text(seed, length):
    """Lines that compress well and still differ everywhere."""
    lines, number = bytearray(), seed
    while len(lines) < length:
        lines += b"ledger line %d of the vault\n" % number
        number += 1
    return bytes(lines[:length])


def first():
    os.makedirs(path(b"folder/in/folder"))
    os.mkdir(path(b"empty folder"))
    write(b"plain", b"plain content\n")
    write(b"empty")
    write(b"noise", noise(1, 9_000))
    write(b"zeros", bytes(70_000))
    write(b"gone soon", noise(2, 6_000))
    write(b"folder/in/folder/deep", b"deep down\n")
    if chunked_bytes:
        # A window of zeros is where the chunker cuts, whatever its polynomial, once the least length is reached.
        write(b"chunked", text(1, chunked_bytes * 3 // 4) + bytes(4096) + text(2, chunked_bytes // 4))
    for number, name in enumerate(
        [
            b'quote"back\\slash\'single',
            b"line\nfeed\ttab\x01\x1b\x7f",
            b"not utf-8 \xff\xfe\xc3\x28\xed\xa0\x80",
            "ä decomposed a\u0308 separator\u2028 \U0001f600".encode(),
            b"<html>&amp;",
            b"$(id) `id` %41 *?[a]",
            b"-rf",
            b" ",
            b"A" * 255,
        ]
    ):
        write(name, b"%d" % number)
    os.link(path(b"noise"), path(b"folder/hard link"))
    os.symlink(b"plain", path(b"link"))
    os.symlink(b"nowhere \xff\xfe", path(b"link to nowhere"))
    os.mkfifo(path(b"fifo"))
    write(b"setuid")
    os.chmod(path(b"setuid"), 0o4755)
    os.chmod(path(b"empty folder"), 0o1777)
    write(b"read-only", b"look, do not touch\n")
    os.chmod(path(b"read-only"), 0o400)
    write(b"attributes", b"with more than content\n")
    os.setxattr(path(b"attributes"), b"user.text", b"value")
    os.setxattr(path(b"attributes"), b"user.binary", bytes(range(256)))
    for name, seconds, nanoseconds in [
        (b"time 1969", -1, 999_999_999),
        (b"time 2038", 2147483648, 5),
        (b"time 2446", 15_032_385_535, 999_999_999),
    ]:
        write(name, name)
        os.utime(path(name), ns=(0, seconds * 10**9 + nanoseconds))


def second():
    os.remove(path(b"gone soon"))
    write(b"plain", b"changed content\n")
    write(b"new", text(1_000_000, 3_000))
    os.chmod(path(b"folder"), 0o700)


def third():
    write(b"folder/uncompressed", text(2_000_000, 4_000))
    os.rename(path(b"new"), path(b"renamed"))


{"first": first, "second": second, "third": third}[stage]()
