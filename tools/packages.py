"""npm packages that a venue's contracts are taken from: fetched when their files are made anew, never installed.

Their bytecode travels with marginspec (`contracts.json` in the folder of a system): no user and no test needs them.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

from marginspec.targets.evm.fetched import PACKAGES


class Package(NamedTuple):
    """One version of an npm package.

    Attributes:
        name: as npm knows it.
        version: exact.
        integrity: SHA-512 of its archive in base 64, as a lock file has it, without `sha512-`.
    """

    name: str
    version: str
    integrity: str

    def unpacked(self) -> Path:
        """Fetch the package if it is not here, and return the folder that its files lie in.

        Raises:
            RuntimeError: npm has another archive of that version, or none.
        """
        home = PACKAGES / f"{self.name.replace('/', '-').removeprefix('@')}-{self.version}"
        archive = home / "package.tgz"
        if not archive.is_file():
            home.mkdir(parents=True, exist_ok=True)
            asked = ["npm", "pack", f"{self.name}@{self.version}", "--pack-destination", str(home), "--silent"]
            packed = subprocess.run(asked, capture_output=True, text=True, check=False)
            if packed.returncode:
                raise RuntimeError(f"npm has no {self.name}@{self.version}: {packed.stderr.strip()[-200:]}")
            (home / packed.stdout.strip().splitlines()[-1]).rename(archive)
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != self.integrity:
            archive.unlink()
            raise RuntimeError(f"{self.name}@{self.version} is not what it was: its archive's SHA-512 is {found}")
        folder = home / "package"
        if not folder.is_dir():
            with tarfile.open(archive) as tar:
                tar.extractall(home, filter="data")
        return folder
