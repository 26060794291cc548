"""Register a model from local files, and download it."""

import sys
from pathlib import Path

from azure.ai.ml.entities import Model
from client import connect

HERE = Path(__file__).parent
client = connect()

for stage in ("first", "second"):
    model = client.models.create_or_update(
        Model(name="tutorial-model", path=str(HERE / "data"), tags={"stage": stage})
    )
print("versions:", [each.version for each in client.models.list(name="tutorial-model")])
print("latest:", client.models.get("tutorial-model", label="latest").tags)
client.models.download("tutorial-model", version=model.version, download_path=sys.argv[1])
client.models.archive("tutorial-model", version="1")
print("after archiving:", [each.version for each in client.models.list(name="tutorial-model")])
