"""The project's own tools: lint sees each kind of fault, embed_sql keeps SQL as it is."""
import shutil
import subprocess

import harness

BAD = {
    "engine/base/up.c": ('/* x */\n#include "pg/conn.h"\n', "base must not include pg"),
    "engine/plan/pg.c": ('/* x */\n#include "pg/conn.h"\n', "plan never includes pg"),
    "engine/copy/pq.c": ("/* x */\n#include <libpq-fe.h>\n", "only engine/pg includes libpq-fe.h"),
    "engine/cdc/inner.c": ('/* x */\n#include "pg/conn_internal.h"\n', "is for engine/pg alone"),
    "engine/cellar/a.c": ("/* x */\n", "room cellar has no rank"),
    "engine/base/head.c": ("int x;\n", "begins without a comment"),
    "engine/base/format.c": ("/* x */\nint  x;\n", "not as clang-format has it"),
    "engine/base/long.c": ("/* x */\n" + "int x;\n" * 801, "802 lines, the limit is 800"),
    "engine/base/function.c": ("/* x */\nvoid f(void)\n{\n" + "    x = 1;\n" * 101 + "}\n",
                               "f has 104 lines, the limit is 100"),
    "engine/base/knot.c": ("/* x */\nvoid f(int i)\n{\n" + "    if (i)\n        i = 0;\n" * 15
                           + "}\n", "f has complexity 16, the limit is 15"),
    "engine/base/print.c": ('/* x */\nvoid f(void)\n{\n    fprintf(stderr, "x");\n}\n',
                            "only cmd, report and the log print"),
    "engine/base/exit.c": ("/* x */\nvoid f(void)\n{\n    exit(1);\n}\n", "no exit or jump"),
    "engine/pg/free.c": ("/* x */\nvoid f(char *x)\n{\n    free(x);\n}\n", "free() only in"),
    "engine/pg/null.c": ("/* x */\nint f(void)\n{\n    int *x = 0;\n    return *x;\n}\n",
                         "nullPointer"),
    "engine/sql/a.sql": ("SELECT 1\n", "begins without a comment on purpose"),
    "engine/sql/b.sql": ("-- x\nSELECT 1 FROM pg_class\n", "pg_class without pg_catalog"),
    "tests/a.sh": ("#!/bin/sh\ncd $1\n", "SC2086"),
    "tests/a.py": ("def f(:\n", "invalid syntax"),
    "docs/a.md": ("see /home/" + "somebody/x\n", "a path of one machine"),
    "engine/base/word.c": ("/* TO" + "DO */\n", "unfinished"),
}
GOOD = {
    "engine/base/a.c": '/* fprintf(stderr, "x"); exit(1); */\nconst char *x = "printf(free(x))";\n',
    "engine/base/a_table.c": "/* x */\n" + "extern int x;\n" * 801,
    "engine/cmd/a.c": '/* x */\n#include "step/run.h"\n\nvoid f(void)\n{\n    puts("x");\n}\n',
    "engine/copy/a.c": '/* x */\n#include "step/run.h"\n#include "plan/plan.h"\n',
    "engine/pg/a.c": "/* x */\n#include <libpq-fe.h>\n",
    "engine/sql/a.sql": "-- x\nSELECT 1 FROM pg_catalog.pg_class -- FROM pg_class\n",
}


def lint(tree, files):
    """What lint says about a repository of these files: its exit status and its findings."""
    for tool in ("lint", "cppcheck.suppress"):
        (tree / "tools").mkdir(parents=True, exist_ok=True)
        shutil.copy(harness.REPO / "tools" / tool, tree / "tools" / tool)
    shutil.copy(harness.REPO / ".clang-format", tree)
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", tree], check=True)
    done = subprocess.run([tree / "tools" / "lint"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_lint_sees_each_fault(tmp_path):
    """Every rule that lint enforces is broken once, and the file that breaks it is named."""
    status, findings = lint(tmp_path, {name: text for name, (text, _) in BAD.items()})
    assert status == 1
    for name, (_, message) in BAD.items():
        assert any(line.startswith(name + ":") and message in line for line in findings), \
            (name, message, [line for line in findings if name in line])


def test_lint_lets_good_code_pass(tmp_path):
    """What looks like a fault and is none is not reported."""
    assert lint(tmp_path, GOOD)[0] == 0, lint(tmp_path, GOOD)[1]


def test_embed_sql(tmp_path):
    """SQL arrives byte for byte without its head comment, with quotes, backslashes, trigraphs."""
    body = 'SELECT \'\\d\' AS "a", \'??=\', 1 -- kept\n\n/* kept */ WHERE\tTRUE;\n'
    (tmp_path / "copy_odd-name.sql").write_text("-- Purpose.\n-- $1 oid\n\n/* more\n   */\n" + body,
                                                encoding="utf-8")
    embed = [harness.REPO / "tools" / "embed_sql", tmp_path]
    subprocess.run([*embed, tmp_path / "copy_odd-name.sql"], check=True)
    (tmp_path / "main.c").write_text('#include "sql_text.h"\n#include <stdio.h>\n'
                                     "int main(void)\n{\n    fputs(SQL_COPY_ODD_NAME, stdout);\n}\n",
                                     encoding="utf-8")
    subprocess.run(["cc", "-Wall", "-Werror", "-o", tmp_path / "main", tmp_path / "main.c",
                    tmp_path / "sql_text.c"], check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, text=True,
                          check=True).stdout == body
    (tmp_path / "empty.sql").write_text("-- nothing\n", encoding="utf-8")
    done = subprocess.run([*embed, tmp_path / "empty.sql"], capture_output=True, text=True,
                          check=False)
    assert done.returncode != 0 and "empty.sql holds no SQL" in done.stderr
    subprocess.run(embed, check=True)
