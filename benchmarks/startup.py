"""Start-up: ``zoo --help``, ``zoo list`` and ``zoo info resnet50`` against ``import keras``.

python benchmarks/startup.py
"""

from __future__ import annotations

import sys

from measure import in_turn, machine, median, ratio, run

COMMANDS = {
    "zoo --help": ["zoo", "--help"],
    "zoo list": ["zoo", "list", "--format", "table"],
    "zoo info resnet50": ["zoo", "info", "resnet50", "--format", "table"],
}


def main(repeats: int = 7) -> None:
    """Print a row a command."""
    print(machine())
    base = "python -c 'import keras'"
    commands = {base: lambda: run([sys.executable, "-c", "import keras"])}
    commands |= {name: lambda words=words: run(words) for name, words in COMMANDS.items()}
    results = in_turn(commands, repeats)
    print(f"{'whole process, median of ' + str(repeats):<32}{'seconds':>9}{'ratio':>9}")
    for name, runs in results.items():
        print(f"{name:<32}{median(runs):>9.3f}{ratio(runs, results[base]):>9.3f}")


if __name__ == "__main__":
    main()
