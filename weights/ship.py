"""Make the weights of a run into a file that ships with zoo: float16, compressed, and its entry in weights/*.yaml.

    python weights/ship.py runs/lenet5-1 weights/lenet5.weights.h5

Accuracies are not taken from the run: `python benchmarks/accuracy.py` measures those of the shipped file.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import h5py
import yaml


def store_float16(source: Path, target: Path) -> None:
    """Copy a Keras weights file with every float32 array as float16, compressed."""
    with h5py.File(source) as full, h5py.File(target, "w") as half:

        def copy(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                value = item[()]
                half.create_dataset(
                    name,
                    data=value.astype("float16") if value.dtype == "float32" else value,
                    compression="gzip" if value.ndim else None,
                    shuffle=bool(value.ndim) or None,
                )
            else:
                half.require_group(name)
            half[name].attrs.update(item.attrs)  # type: ignore[attr-defined]

        full.visititems(copy)
        half.attrs.update(full.attrs)


def main() -> None:
    """Write the file and print its entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()

    import keras

    network = keras.models.load_model(args.run / "model.keras")
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.weights.h5"
        network.save_weights(full)
        store_float16(full, args.output)
    data = args.output.read_bytes()
    config = yaml.safe_load((args.run / "config.yaml").read_text())
    name = args.output.name
    entry = {"file": name, "shipped": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    top = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=1000).strip()
    print(f"  {config['model']}:\n    top: {top}")
    print(f"    recipe: {config['recipe']['name']}, {config['recipe']['epochs']} epochs, seed {config['seed']}")


if __name__ == "__main__":
    main()
