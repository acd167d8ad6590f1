"""What a recording says of the machine and the code: versions and the commit, and nothing about the person.

No environment variables, no user or host names, no paths. A remote is kept without credentials, and only when it is
an address: the path of a repository on this machine stays on this machine.
"""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from leadline.logs.recording.shapes import Git, Surroundings

#: Packages whose version is recorded when they are loaded (module names), beside those that are named.
PACKAGES: Final = (
    "leadline", "numpy", "scipy", "torch", "jax", "transformers", "transformer_lens", "nnsight", "sae_lens",
    "datasets", "accelerate", "peft", "trl", "vllm", "sklearn", "pandas", "polars",
)  # fmt: skip
_DISTRIBUTION: Final = {
    "sklearn": "scikit-learn",
    "transformer_lens": "transformer-lens",
    "sae_lens": "sae-lens",
}
_GIT_SECONDS: Final = 20
_ADDRESS: Final = re.compile(r"(?P<scheme>https?|ssh|git)://(?:[^/@]*@)*(?P<rest>[^/@?#]+/[^?#@]*)")
_SCP: Final = re.compile(r"(?:[^/@:]+@)?(?P<host>[A-Za-z0-9.-]+\.[A-Za-z]+):(?P<rest>[^@?#\\]+)")


def surroundings(packages: Collection[str] = ()) -> Surroundings:
    """The interpreter, the platform, versions of what is loaded, and the git state of the working directory."""
    return Surroundings(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{platform.system()} {platform.machine()}",
        packages=_versions(packages),
        git=_git(),
    )


def _versions(named: Collection[str]) -> dict[str, str]:
    loaded = [name for name in PACKAGES if name in sys.modules]
    found = {}
    for name in sorted({*loaded, *named}):
        distribution = _DISTRIBUTION.get(name, name)
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            found[distribution] = "not installed" if name in named else "unknown"
    return found


def _git() -> Git | None:
    commit = _asked("rev-parse", "--verify", "HEAD")
    changes = _asked("status", "--porcelain", "--untracked-files=no")
    if not commit or changes is None:
        return None
    return Git(
        commit=commit, dirty=bool(changes), remote=without_credentials(_asked("remote", "get-url", "origin"))
    )


def without_credentials(remote: str | None) -> str | None:
    """The address of a remote without user, password and query; None for what is no address of another machine."""
    if not remote:
        return None
    if (address := _ADDRESS.fullmatch(remote)) is not None:
        return f"{address['scheme']}://{address['rest']}"
    if (scp := _SCP.fullmatch(remote)) is not None:
        return f"{scp['host']}:{scp['rest']}"
    return None


def _asked(*words: str) -> str | None:
    """What git says, or None where there is no git, no repository or no answer."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 -- fixed words, no shell
            [git, "-c", "core.fsmonitor=false", *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_GIT_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
