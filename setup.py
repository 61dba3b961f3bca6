"""Packaging: everything is stated in pyproject.toml, but that configs/ and weights/ go into the package."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithData(build_py):
    """Put ``configs/`` and ``weights/`` inside the installed package; a checkout has them beside it."""

    def run(self) -> None:
        """Build the modules, then copy the data. An editable install reads the checkout and needs no copy."""
        super().run()
        if self.editable_mode:
            return
        for folder in ("configs", "weights"):
            target = Path(self.build_lib, "zoo", folder)
            copytree(folder, target, dirs_exist_ok=True, ignore=ignore_patterns("*.py", "__pycache__"))


setup(cmdclass={"build_py": BuildWithData})
