"""Try to cheat, and print what Leadline answers: ``python -m tools.attacks`` (``--write`` renews docs/attacks.md).

Every attack is carried out for real on a registry in a temporary folder. The exit status is 1 when one of them ends
as a clean pass or changes other checks than it must.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "attacks.md"
_HEAD = """\
# Attacks

Made by `python -m tools.attacks --write`, which carries each of these out on a registry of its own. The first row is
the study nobody attacked. Each attack must change the checks named, and no other; none may end as a clean pass. Where an
error is named, what was tried is refused with it. `design/threat-model.md` says what is not claimed.

| attack | checks that answer | Leadline says |
|---|---|---|
"""


def main(arguments: list[str]) -> int:
    """Carry out the suite; print its table, or write the page."""
    sys.path.insert(0, str(ROOT / "tests"))
    from attacks.twelve import table

    rows, right = [], True
    for attack, checks, says, passed in table():
        rows.append(f"| {attack} | {checks} | {says} |")
        right &= passed
        print(f"{'ok   ' if passed else 'WRONG'} {attack}: {says} [{checks.replace('`', '')}]", flush=True)
    if "--write" in arguments:
        PAGE.write_text(_HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
