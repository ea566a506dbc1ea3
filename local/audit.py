"""``make audit``: known vulnerabilities of what is installed, and never a pass because nothing could be looked up."""

from __future__ import annotations

import json
import subprocess
import sys

from local.errors import LocalError


def vulnerabilities(report: str) -> list[str]:
    """A line for each vulnerability in pip-audit's JSON report. Raises LocalError when packages were not looked up."""
    try:
        packages = json.loads(report)["dependencies"]
    except ValueError:
        raise LocalError("the advisory service cannot be reached: try again with a network") from None
    if skipped := [package["name"] for package in packages if "skip_reason" in package]:
        raise LocalError(f"the advisory service does not answer for {len(skipped)} of {len(packages)} packages")
    return [
        f"{package['name']} {package['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'none'}"
        for package in packages
        for found in package["vulns"]
    ]


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    report = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    try:
        found = vulnerabilities(report)
    except LocalError as error:
        print(f"make audit: {error}", file=sys.stderr)
        return 1
    print("\n".join(found) or "No known vulnerabilities.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
