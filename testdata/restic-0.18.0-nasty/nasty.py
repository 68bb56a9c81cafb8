"""Makes a small folder with every kind of entry and the names, times, owners and attributes that break programs."""

import os
import socket
import sys

root = os.fsencode(sys.argv[1])
os.makedirs(root)


def path(name):
    return os.path.join(root, name)


def write(name, content=b""):
    with open(path(name), "wb") as file:
        file.write(content)


write(b"plain", b"plain content\n")
write(b"empty")
write(b"left out.skip", b"x")
for number, name in enumerate(
    [
        b'quote"back\\slash\'single',
        b"line\nfeed\ttab\rreturn\x01\x1b\x7f",
        b"\x07\x08\x0b\x0c",
        b"<html>&amp;",
        b"not utf-8 \xff\xfe\xc3\x28\xed\xa0\x80\xc0\xaf",
        "ä decomposed a\u0308 \u00e9".encode(),
        "soft\u00adhyphen no-break\u00a0space zero\u200bwidth bom\ufeff".encode(),
        "line\u2028separator\u2029".encode(),
        "emoji \U0001f600 replacement \ufffd".encode(),
        "private \ue000 unassigned \u0378 \U000e0001 \U0010ffff".encode(),
        "unicode 15.1 \U0002ebf0 unicode 16 \U00010d40".encode(),
        "rtl \u202e\u05d0\u0627".encode(),
        b"-rf",
        b" ",
        b"...",
        b"$(id) `id` %s *?[a]",
        b"A" * 255,
        b"CON",
        b"trailing. ",
    ]
):
    write(name, b"%d" % number)

big = bytearray()
state = 1
while len(big) < 40_000:
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    big += state.to_bytes(8, "little")
write(b"random", bytes(big))
write(b"zeros", bytes(100_000))

os.makedirs(path(b"directory/in/directory"))
os.mkdir(path(b"empty directory"))
write(b"directory/in/directory/file", b"deep")
os.link(path(b"plain"), path(b"hard link"))
os.symlink(b"plain", path(b"link"))
os.symlink(b"nowhere \xff\xfe", path(b"link to no utf-8"))
os.symlink("html <\u2028>&".encode(), path(b"link to html"))
os.mkfifo(path(b"fifo"))
os.mknod(path(b"char device"), 0o20666, os.makedev(1, 3))
os.mknod(path(b"block device"), 0o60660, os.makedev(259, 65537))
server = socket.socket(socket.AF_UNIX)
server.bind(path(b"socket"))

write(b"setuid")
os.chown(path(b"setuid"), 12345, 54321)
os.chmod(path(b"setuid"), 0o6755)
os.chmod(path(b"empty directory"), 0o1777)
write(b"no permissions")
os.chmod(path(b"no permissions"), 0)

write(b"attributes")
os.setxattr(path(b"attributes"), b"user.text", b"value")
os.setxattr(path(b"attributes"), b"user.binary", bytes(range(256)))
os.setxattr(path(b"attributes"), b"user.empty", b"")
os.setxattr(path(b"attributes"), "user.ä<>".encode(), b"1")
acl = bytes.fromhex("0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000400ffffffff")
os.setxattr(path(b"attributes"), b"system.posix_acl_access", acl)

for name, seconds, nanoseconds in [
    (b"time 1901", -2147483648, 1),
    (b"time 1969", -1, 999_999_999),
    (b"time 1970", 0, 0),
    (b"time tenths", 1_700_000_000, 100_000_000),
    (b"time 2038", 2147483648, 5),
    (b"time 2446", 15_032_385_535, 999_999_999),
    (b"time summer", 1_720_000_000, 0),
    # Those that follow need a file system that holds them, such as tmpfs.
    (b"time 1890", -2_500_000_000, 0),
    (b"time 0001", -62_135_596_800, 0),
    (b"time before 0", -62_200_000_000, 0),
    (b"time last day", 253_402_300_799, 1),
    (b"time 10000", 253_402_300_800, 0),
    (b"time leap day", 253_407_484_800, 0),
]:
    write(name)
    try:
        os.utime(path(name), ns=(0, seconds * 10**9 + nanoseconds))
    except OverflowError:
        pass
