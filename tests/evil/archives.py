"""Archives put together by hand, since a well-behaved library would refuse to write what is needed here."""
import hashlib
import io
import json
import os
import zipfile

END = bytes(1024)


def octal(value, width):
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return bytes([0x80]) + value.to_bytes(width - 1, "big", signed=False)  # GNU's base-256


def pad(data):
    return data + bytes(-len(data) % 512)


def header(name, kind=b"0", size=0, link=b"", mode=0o644, uid=0, gid=0, device=(0, 0)):
    fields = b"".join([
        name.ljust(100, b"\0")[:100], octal(mode, 8), octal(uid, 8), octal(gid, 8), octal(size, 12), octal(0, 12),
        b" " * 8, kind, link.ljust(100, b"\0")[:100], b"ustar\0" b"00", bytes(64), octal(device[0], 8),
        octal(device[1], 8), bytes(167),
    ])
    total = sum(fields)
    return fields[:148] + b"%06o\0 " % total + fields[156:]


def long(kind, text):
    return header(b"././@LongLink", kind, len(text) + 1) + pad(text + b"\0")


def entry(name, data=b"", kind=b"0", link=b"", **more):
    name, link = os.fsencode(name), os.fsencode(link)
    before = long(b"L", name) if len(name) > 100 else b""
    before += long(b"K", link) if len(link) > 100 else b""
    return before + header(name, kind, len(data), link, **more) + pad(data)


def file(name, data=b"evil\n", **more):
    return entry(name, data, **more)


def folder(name, mode=0o755, **more):
    return entry(name, kind=b"5", mode=mode, **more)


def symlink(name, target):
    return entry(name, kind=b"2", link=target, mode=0o777)


def hardlink(name, target):
    return entry(name, kind=b"1", link=target)


def pax(records):
    text = b""
    for key, value in records.items():
        body = b" " + key.encode() + b"=" + value + b"\n"
        n = len(body)
        while len(str(n).encode()) + len(body) != n:
            n = len(str(n).encode()) + len(body)
        text += str(n).encode() + body
    return entry("pax", text, kind=b"x")


def tar(*entries):
    return folder("etc") + file("etc/passwd", b"root:x:0:0::/:/bin/sh\n") + b"".join(entries) + END


def cpio(*entries):
    out = b""
    for name, mode, data, inode, links in entries + (("TRAILER!!!", 0, b"", 0, 1),):
        name = os.fsencode(name) + b"\0"
        fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


def zip_archive(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, mode, data in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return out.getvalue()


def layer(*entries):
    return b"".join(entries) + END


def sha256(data):
    return hashlib.sha256(data).hexdigest()


TAR = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """An OCI layout in the making: files, path to bytes."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, data, media_type, **more):
        """Adds a blob and returns its descriptor; JSON is written from dicts."""
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        self.files["blobs/sha256/" + sha256(data)] = data
        return {"mediaType": media_type, "digest": "sha256:" + sha256(data), "size": len(data), **more}

    def manifest(self, layers, config=None, diff_ids=None, media_type=TAR, **more):
        """Adds an image of layers that aren't compressed; returns the manifest's descriptor."""
        if diff_ids is None:
            diff_ids = ["sha256:" + sha256(data) for data in layers]
        config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                  "rootfs": {"type": "layers", "diff_ids": diff_ids}, **(config or {})}
        return self.blob({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(config, CONFIG),
                          "layers": [self.blob(data, media_type) for data in layers], **more}, MANIFEST)

    def index(self, *descriptors):
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": list(descriptors)}).encode()
        return self

    def tar(self):
        return b"".join(entry(path, data) for path, data in self.files.items()) + END

    def write(self, folder):
        for path, data in self.files.items():
            where = os.path.join(folder, path)
            os.makedirs(os.path.dirname(where), exist_ok=True)
            with open(where, "wb") as out:
                out.write(data)


def image(*layers, **more):
    """The layout of one image."""
    layout = Layout()
    return layout.index(layout.manifest(layers, **more))


def saved(layers, config=None, tags=("evil:latest",), more=b"", **manifest):
    """A docker-archive as a tar."""
    config = config or json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + sha256(data) for data in layers]}}).encode()
    item = {"Config": sha256(config) + ".json", "RepoTags": list(tags),
            "Layers": [sha256(data) + ".tar" for data in layers], **manifest}
    return (b"".join(entry(sha256(data) + ".tar", data) for data in layers) + entry(sha256(config) + ".json", config) +
            more + entry("manifest.json", json.dumps([item]).encode()) + END)
