"""Checks a CycloneDX file against its schema, and its checksums against the packed files: check-bom.py FILE TREE"""

import hashlib
import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

document, tree = Path(sys.argv[1]), Path(sys.argv[2])
text = document.read_text(encoding="utf-8")
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if problem is not None:
    sys.exit(f"{document}: {problem}")

bill = json.loads(text)
stated = {part["bom-ref"].split("@")[0]: part for part in bill["components"]}
files = {
    "pkg:pypi/onnxruntime": "lib/affectograph/libonnxruntime.so",
    "pkg:pypi/mne-lsl": "lib/affectograph/liblsl.so",
    **{f"model/{path.parent.name}": str(path.relative_to(tree)) for path in tree.glob("share/affectograph/models/*/model.onnx")},
}
parts = [(bill["metadata"]["component"], "lib/affectograph/affectograph"), *((stated[name], file) for name, file in files.items())]
if len(parts) < 6:
    sys.exit(f"{tree} has fewer files than a package: {files}")
for part, file in parts:
    found = hashlib.sha256((tree / file).read_bytes()).hexdigest()
    if part["hashes"][0]["content"] != found:
        sys.exit(f"{document}: the checksum of {part['name']} is not that of {file}")
