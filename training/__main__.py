"""The one entry: `python -m training VERB NET [--config FILE]`, run from the project root.

Each network is one module of this package with functions named like the verbs (only `affect` has
`london`); each takes the loaded configuration. The module is imported only when asked for, so that one network's dependencies never stand in the way of another's.
"""

import argparse
import importlib
import tomllib
from pathlib import Path

VERBS = ("prepare", "train", "evaluate", "london", "export")
NETS = ("actions", "affect", "detector", "landmarks")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__.split("\n")[0])
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("net", choices=NETS)
    parser.add_argument("--config", type=Path, help="TOML file; default training/configs/NET.toml")
    parser.add_argument("--pictures", type=Path, help="folder or git directory of FairFace, for prepare")
    args = parser.parse_args()

    config_path = args.config or Path(__file__).parent / "configs" / f"{args.net}.toml"
    with open(config_path, "rb") as file:
        config = tomllib.load(file)
    if args.pictures:
        config["pictures"] = args.pictures.resolve()
    module = importlib.import_module(f"training.{args.net}")
    if not hasattr(module, args.verb):
        parser.error(f"{args.net} has no `{args.verb}`")
    getattr(module, args.verb)(config)


if __name__ == "__main__":
    main()
