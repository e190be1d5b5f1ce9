#!/usr/bin/env python3
"""Print the Debian packages of an installation as a CycloneDX bill of materials (JSON).

usage: packaging/sbom.py FOLDER OF DPKG NAME=VERSION      (FOLDER OF DPKG: /var/lib/dpkg of the installation)
"""

import json
import os
import re
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

FIELDS = ["Package", "Version", "Architecture", "source:Package", "source:Version", "Maintainer", "Homepage", "db:Status-Status"]


def installed(folder):
    """The installed packages, each as a mapping of FIELDS."""
    form = "\t".join("${%s}" % field for field in FIELDS) + "\n"
    query = ["dpkg-query", f"--admindir={folder}", "--show", f"--showformat={form}"]
    lines = subprocess.run(query, check=True, capture_output=True, text=True).stdout.splitlines()
    packages = [dict(zip(FIELDS, line.split("\t"))) for line in lines]
    return [package for package in packages if package["db:Status-Status"] == "installed"]


def component(package):
    """A package as CycloneDX describes it; the purl names the source too, which advisories are written about."""
    name, version = package["Package"], package["Version"]
    vendor = "polyface" if name.startswith("polyface") else "debian"
    origin = quote(f'{package["source:Package"]}@{package["source:Version"]}', safe="")
    purl = f'pkg:deb/{vendor}/{quote(name)}@{quote(version, safe="")}?arch={package["Architecture"]}&upstream={origin}'
    found = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    maintainer = re.sub(r" *<.*", "", package["Maintainer"]).strip('"')
    if maintainer:
        found["supplier"] = {"name": maintainer}
    if package["Homepage"]:
        found["externalReferences"] = [{"type": "website", "url": package["Homepage"]}]
    return found


def bill(packages, name, version):
    """The bill of materials. The same packages make the same bill."""
    components = sorted(map(component, packages), key=lambda found: found["bom-ref"])
    made = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([name, version, components]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "timestamp": made.isoformat().replace("+00:00", "Z"),
            "component": {"type": "operating-system", "bom-ref": "root", "name": name, "version": version},
        },
        "components": components,
    }


def main():
    if len(sys.argv) != 3 or "=" not in sys.argv[2]:
        sys.exit(__doc__.strip().splitlines()[-1])
    name, version = sys.argv[2].split("=", 1)
    packages = installed(Path(sys.argv[1]))
    if not packages:
        sys.exit(f"sbom: {sys.argv[1]} lists no installed packages")
    json.dump(bill(packages, name, version), sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
