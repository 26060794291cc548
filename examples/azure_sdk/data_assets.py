"""Create data assets from a file and a folder, and a datastore; list them."""

from pathlib import Path

from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import AzureBlobDatastore, Data
from client import connect

HERE = Path(__file__).parent
client = connect()

client.datastores.create_or_update(
    AzureBlobDatastore(name="pictures", account_name="pictures", container_name="raw")
)
file = client.data.create_or_update(
    Data(name="points", path=str(HERE / "data" / "points.csv"), type=AssetTypes.URI_FILE)
)
folder = client.data.create_or_update(
    Data(
        name="points-folder",
        path=str(HERE / "data"),
        type=AssetTypes.URI_FOLDER,
        description="all the points",
        tags={"made": "by hand"},
    )
)
print("datastores:", sorted(each.name for each in client.datastores.list()))
print("default:", client.datastores.get_default().name)
print("data:", sorted(each.name for each in client.data.list()))
print("latest:", client.data.get("points", label="latest").version, folder.version, file.path)
