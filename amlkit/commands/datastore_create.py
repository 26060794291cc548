"""`amlkit datastore create`: name a place for files. Wraps `services/datastores.py`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from amlkit.errors import UsageError
from amlkit.options import DryRunOption, FileOption, OutputOption, QueryOption, SetOption
from amlkit.services.datastores import SECRETS, Credentials
from amlkit.session import Session

_FIELDS = (
    "account_name",
    "container_name",
    "file_share_name",
    "filesystem",
    "one_lake_workspace_name",
    "endpoint",
    "protocol",
)


def create(
    ctx: typer.Context,
    file: FileOption = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Replaces the file's.")] = None,
    type: Annotated[
        str,
        typer.Option(
            "--type", help="local, azure_blob, azure_file, azure_data_lake_gen2 or one_lake."
        ),
    ] = "local",
    path: Annotated[str | None, typer.Option("--path", help="Folder that it stands for.")] = None,
    account_name: Annotated[str | None, typer.Option("--account-name")] = None,
    container_name: Annotated[str | None, typer.Option("--container-name")] = None,
    file_share_name: Annotated[str | None, typer.Option("--file-share-name")] = None,
    filesystem: Annotated[str | None, typer.Option("--filesystem")] = None,
    one_lake_workspace_name: Annotated[
        str | None, typer.Option("--one-lake-workspace-name")
    ] = None,
    artifact_name: Annotated[
        str | None, typer.Option("--artifact-name", help="Lakehouse of a OneLake workspace.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Default: core.windows.net.")
    ] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Default: https.")] = None,
    account_key_stdin: Annotated[bool, typer.Option("--account-key-stdin")] = False,
    sas_token_stdin: Annotated[bool, typer.Option("--sas-token-stdin")] = False,
    client_secret_stdin: Annotated[bool, typer.Option("--client-secret-stdin")] = False,
    account_key_env: Annotated[
        str | None, typer.Option("--account-key-env", help="Variable that has the key.")
    ] = None,
    sas_token_env: Annotated[
        str | None, typer.Option("--sas-token-env", help="Variable that has the SAS.")
    ] = None,
    client_secret_env: Annotated[
        str | None, typer.Option("--client-secret-env", help="Variable that has the secret.")
    ] = None,
    tenant_id: Annotated[str | None, typer.Option("--tenant-id")] = None,
    client_id: Annotated[str | None, typer.Option("--client-id")] = None,
    authority_url: Annotated[
        str | None, typer.Option("--authority-url", help="Of another cloud's logins.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description")] = None,
    set_: SetOption = None,
    dry_run: DryRunOption = False,
    output: OutputOption = None,
    query: QueryOption = None,
) -> None:
    """Name a place for files, so that specs can refer to it as azureml://datastores/NAME/paths/...

    Secrets come from stdin and go to the keyring or an encrypted file (AMLKIT_SECRETS_PASSPHRASE),
    or stay in a variable that is only named here.

    \b
    amlkit datastore create --name raw --path ./raw
    amlkit datastore create --name images --type azure_blob --account-name acme \\
        --container-name images --account-key-env ACME_KEY
    amlkit datastore create -f blob-datastore.yml --sas-token-stdin < token.txt
    """
    session = Session.of(ctx)
    datastores = session.workspace.datastores
    options = locals()
    credentials = _credentials(
        {each: options[f"{each}_stdin"] for each in SECRETS},
        {each: options[f"{each}_env"] for each in SECRETS},
        {"tenant_id": tenant_id, "client_id": client_id, "authority_url": authority_url},
        from_stdin=str(file) == "-",
    )
    if file is not None:
        made = datastores.create_from(
            file, name=name, overrides=set_ or (), credentials=credentials, dry_run=dry_run
        )
    elif name is None:
        raise UsageError("a name is needed", hint="--name NAME --path FOLDER, or -f FILE")
    else:
        fields = {each: options[each] for each in _FIELDS if options[each] is not None}
        if artifact_name is not None:
            fields["artifact"] = {"type": "lake_house", "name": artifact_name}
        made = datastores.create(
            name=name,
            path=path,
            type=type,
            description=description,
            fields=fields,
            credentials=credentials,
            dry_run=dry_run,
        )
    session.output.record(made, output, query)


def _credentials(
    stdin: dict[str, bool],
    variables: dict[str, str | None],
    principal: dict[str, str | None],
    *,
    from_stdin: bool,
) -> Credentials:
    read = [kind for kind, asked in stdin.items() if asked]
    named = [kind for kind, variable in variables.items() if variable]
    if len(read) + len(named) > 1:
        raise UsageError("several secrets are given", hint="give one of them")
    if read and from_stdin:
        raise UsageError("stdin is both the spec and the secret", hint="give the spec as a file")
    if read:
        return Credentials(read[0], value=_line(read[0]), **principal)
    if named:
        return Credentials(named[0], variable=variables[named[0]], **principal)
    return Credentials(**principal)


def _line(kind: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(kind.replace("_", " "), hide_input=True, err=True))
    try:
        value = sys.stdin.readline().strip()
        value.encode()
    except UnicodeError:
        # Not with its cause, which has the secret.
        raise UsageError(f"the {kind} on stdin is no text", hint="one line in UTF-8") from None
    if not value:
        raise UsageError(f"stdin has no {kind}", hint="amlkit datastore create ... < FILE")
    return value
