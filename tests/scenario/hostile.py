"""Bad input for `godwit validate`: what no plan may be, made in a directory; and what reading it costs.

    for case in hostile.make(directory):        # case.name, case.path, case.code ("" when the plan is good)
        cost = hostile.measure(binary, case.path)   # cost.status, cost.err, cost.peak_kb, cost.cpu_ms

A process's peak memory counts what its parent had when it forked, so a small Python of its own starts the engine.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import typing

HEAD = """version: 1
name: metrics
source: {kind: rds, conninfo_env: SOURCE}
target: {kind: tiger_cloud, conninfo_env: TARGET}
select: {schemas: [public]}
"""
MEBIBYTE = 1024 * 1024


class Case(typing.NamedTuple):
    """One input, and the code it is answered with."""
    name: str
    path: pathlib.Path
    code: str  # "": it is a good plan
    at_place: bool  # the answer names line and column


class Cost(typing.NamedTuple):
    """What one call of the engine said and took."""
    status: int
    out: str
    err: str
    peak_kb: int
    cpu_ms: float


def bomb(size):
    """A "billion laughs" of aliases, of exactly so many bytes."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, letter in zip("abcdefgh", "bcdefghi"):
        lines.append(f"{letter}: &{letter} [{', '.join(['*' + before] * 9)}]")
    text = "\n".join(lines) + "\n"
    return text + "#" * (size - len(text) - 1) + "\n" if len(text) < size else text[:size - 1] + "\n"


def texts():
    """(name, bytes, code) of inputs that are files."""
    good = HEAD.encode()
    full = MEBIBYTE - len(HEAD) - len("limits: {memory: }\n")
    return [
        ("alias bomb of 441 bytes", bomb(441).encode(), "P007"),
        ("200 kB of [", b"[" * 200_000, "P005"),
        ("200 kB of {a: ", b"{a: " * 50_000, "P005"),
        ("200 kB of - ", b"- " * 100_000, "P005"),
        ("200 kB of ? ", b"? " * 100_000, "P010"),
        ("200 kB of ! ", b"!" * 200_000, "P008"),
        ("200 kB of quotes", b'"' * 200_001, "P004"),
        ("200 kB of &", b"&" * 200_000, "P004"),
        ("200 kB of *", b"*" * 200_000, "P004"),
        ("a scalar of 1 MiB", good + b"limits: {memory: " + b"x" * full + b"}\n", "P111"),
        ("a key of 1 MiB", good + b"k" * (full + 10) + b": 1\n", "P004"),
        ("a quoted key of 1 MiB", good + b'? "' + b"k" * full + b'"\n: 1\n', "P101"),
        ("more than 1 MiB", good + b"#" * MEBIBYTE, "P001"),
        ("40,000 times the same key", good + b"a: b\n" * 40_000, "P012"),
        ("240,000 entries", good + b"verify: [" + b"{}," * 240_000 + b"]", "P115"),
        ("500,000 nodes and more", good + b"verify: [" + b"a," * 500_001 + b"]", "P006"),
        ("70,000 names", good.replace(b"{schemas: [public]}",
                                      b"{tables: [" + b",".join(b"a.b%d" % n for n in range(70_000)) + b"]}"), ""),
        ("50,000 hypertables", good + b"hypertables: [" + b"{target_table: a.b}," * 50_000 + b"]", "P104"),
        ("9,000 steps that wait", good + b"steps: [" + b",".join(
            b"{id: s%d, needs: [s%d], sql: {server: target, statement: x}}" % (n, n - 1)
            for n in range(1, 9_000)) + b"]", "P232"),
        ("70,000 patterns", good.replace(b"{schemas: [public]}",
                                         b"{tables: [" + b",".join(b"'~a.b%d'" % n for n in range(70_000)) + b"]}"),
         "P117"),
        ("NUL", good + b"# \x00\n", "P003"),
        ("an escaped NUL", good + b'limits: {memory: "1\\0GB"}\n', "P003"),
        ("a broken byte", good + b"# \xff\n", "P002"),
        ("an overlong form", good + b"# \xc0\xaf\n", "P002"),
        ("a surrogate", good + b"# \xed\xa0\x80\n", "P002"),
        ("a cut character", good + b"# \xe2\x82", "P002"),
        ("UTF-16", good.decode().encode("utf-16"), "P002"),
        ("an escape sequence", good + b"# \x1b[2J\n", "P003"),
        ("a byte order mark", b"\xef\xbb\xbf" + good, ""),
        ("a second byte order mark", b"\xef\xbb\xbf\xef\xbb\xbf" + good, "P003"),
        ("line ends of Windows", good.replace(b"\n", b"\r\n"), ""),
        ("line ends of old Macs", good.replace(b"\n", b"\r"), ""),
        ("tabs that indent", good.replace(b"{schemas: [public]}", b"\n\tschemas: [public]"), "P004"),
        ("tabs between values", good.replace(b": ", b":\t"), "P014"),
        ("a second document", good + b"---\n" + good, "P009"),
        ("an end and more", good + b"...\n" + good, "P004"),
        ("50,000 documents", b"---\n" * 50_000, "P009"),
        ("an empty file", b"", "P011"),
        ("blanks", b" \n\n \n", "P011"),
        ("a comment", b"# nothing\n", "P011"),
        ("null", b"~\n", "P011"),
        ("a text", b"metrics\n", "P011"),
        ("a list", b"- metrics\n", "P011"),
        ("another language's tag", b"!!python/object/apply:os.system ['true']\n", "P008"),
        ("a merge key", good + b"<<: {copy: {vacuum: false}}\n", "P007"),
        ("a directive", b"%YAML 9.9\n---\n" + good, "P004"),
        ("an archive", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "P003"),
    ]


def make(directory):
    """Make all of them; a list of cases. The directory may hold nothing yet."""
    directory = pathlib.Path(directory)
    cases = []
    for number, (name, data, code) in enumerate(texts()):
        path = directory / f"{number:02d}.yaml"
        path.write_bytes(data)
        cases.append(Case(name, path, code, code != ""))

    def special(name, path):
        cases.append(Case(name, path, "P013", False))

    special("a directory", directory)
    os.mkfifo(directory / "pipe.yaml")
    special("a pipe", directory / "pipe.yaml")
    listening = socket.socket(socket.AF_UNIX)
    here = os.open(directory, os.O_PATH)
    listening.bind(f"/proc/self/fd/{here}/socket.yaml")
    os.close(here)
    listening.close()
    special("a socket", directory / "socket.yaml")
    special("an endless device", pathlib.Path("/dev/zero"))
    special("an empty device", pathlib.Path("/dev/null"))
    special("nothing there", directory / "none.yaml")
    (directory / "loop.yaml").symlink_to("loop.yaml")
    special("a link to itself", directory / "loop.yaml")
    secret = directory / "secret.yaml"
    secret.write_text(HEAD, encoding="utf-8")
    secret.chmod(0)
    special("an unreadable file", secret)
    return cases


def measure(binary, *args):
    """Run `godwit validate` on this; its Cost. Root does without the right to read any file."""
    done = subprocess.run([sys.executable, "-I", "-S", __file__, str(binary), *map(str, args)], check=True,
                          capture_output=True, timeout=60)
    return Cost(**json.loads(done.stdout))


def _drop_power():
    """Give up root's right to read any file; the user stays the same."""
    import ctypes  # pylint: disable=import-outside-toplevel
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def _main(binary, *args):
    import tempfile  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            _drop_power()
            os.execv(binary, [binary, "validate", *args])
        _, status, usage = os.wait4(pid, 0)
        out.seek(0)
        err.seek(0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status), "peak_kb": usage.ru_maxrss,
                          "cpu_ms": round((usage.ru_utime + usage.ru_stime) * 1000, 1),
                          "out": out.read().decode(errors="replace"), "err": err.read().decode(errors="replace")}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
