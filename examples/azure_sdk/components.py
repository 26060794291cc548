"""Register components from YAML and from Python; list their versions; use one by name."""

from pathlib import Path

import environments
from azure.ai.ml import Input, Output, command, load_component
from client import connect

HERE = Path(__file__).parent
client = connect()
environments.register(client)

train = client.components.create_or_update(load_component(HERE / "components" / "train.yml"))
shout = command(
    name="tutorial_shout",
    version="1",
    command="echo ${{inputs.word}} > ${{outputs.said}}/word.txt",
    environment="tutorial@latest",
    inputs={"word": Input(type="string", default="hello")},
    outputs={"said": Output(type="uri_folder")},
).component
client.components.create_or_update(shout)

found = client.components.get("tutorial_train", label="latest")
print("component:", f"{train.name}:{train.version}", found.display_name)
print("inputs:", sorted(found.inputs), found.inputs["lr"]["default"])
print("names:", sorted(each.name for each in client.components.list()))
print("versions:", [each.version for each in client.components.list(name="tutorial_train")])
