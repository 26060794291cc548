"""The script that a generated component runs: command line in, function call out."""

from __future__ import annotations

from amlkit.services.from_function.signature import Parameter, Signature

MARK = "Written by `amlkit component from-function`"

_HEAD = '''"""Run `{function}` of {file} from the command line.

{mark}; run that again after a change of the parameters.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The function's own folder: beside this file in a job's code, {where} in the project.
sys.path[:0] = [str(each) for each in (HERE / {beside!r}, HERE / {relative!r}) if each.is_dir()]


'''
_BOOLEAN = '''def boolean(text):
    """Return what `True`, `false`, `1` or `no` mean."""
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return known[text.strip().lower()]


'''
_INTEGER = '''def integer(text):
    """Return a whole number; `32.0`, as some samplings draw it, is one."""
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(text) if text.strip().lstrip("+-").isdecimal() else int(number)


'''
_MAIN = '''def main(arguments=None):
    """Parse the arguments and call the function; what is left out keeps the function's default."""
    parser = argparse.ArgumentParser(
        description={description!r}, allow_abbrev=False, add_help={help}
    )
{options}
    given = vars(parser.parse_args(arguments))
{outputs}    from {module} import {function}

    {function}(**given)


if __name__ == "__main__":
    main()
'''
_PARSERS = {"integer": "integer", "number": "float", "boolean": "boolean"}


def write_entry(signature: Signature, *, beside: str, relative: str) -> str:
    """Return the script's text.

    beside: the function's folder in a job's code, relative to the script.
    relative: the same in the project.
    """
    kinds = {str(each.port["type"]) for each in signature.parameters}
    where = "this folder" if relative == "." else f"`{relative}`"
    head = _HEAD.format(
        function=signature.name,
        file=signature.file.name,
        mark=MARK,
        beside=beside,
        relative=relative,
        where=where,
    )
    main = _MAIN.format(
        description=signature.description or f"{signature.name} of {signature.file.name}",
        options="\n".join(_option(each) for each in signature.parameters) or "    # No parameters.",
        outputs="".join(_folder(each) for each in signature.parameters if each.is_output),
        help="help" not in {each.name for each in signature.parameters},
        module=signature.file.stem,
        function=signature.name,
    )
    parsers = ("boolean" in kinds) * _BOOLEAN + ("integer" in kinds) * _INTEGER
    return head + parsers + main


def _option(parameter: Parameter) -> str:
    port = parameter.port
    words = [repr(f"--{parameter.name}")]
    if str(port["type"]) in _PARSERS:
        words.append(f"type={_PARSERS[str(port['type'])]}")
    if port.get("enum"):
        words.append(f"choices={list(port['enum'])!r}")
    words.append("default=argparse.SUPPRESS" if parameter.optional else "required=True")
    return f"    parser.add_argument({', '.join(words)})"


def _folder(parameter: Parameter) -> str:
    """Return the line that makes an output's folder."""
    parent = ".parent" if parameter.port["type"] == "uri_file" else ""
    return f'    Path(given["{parameter.name}"]){parent}.mkdir(parents=True, exist_ok=True)\n'
