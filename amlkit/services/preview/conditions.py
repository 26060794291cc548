"""The meaning of a `filter`: a function of a row. A condition on an empty cell is not met."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from amlkit.errors import AmlkitError
from amlkit.services.preview.rows import Row
from amlkit.specs import filters

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_COUNT: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}


def compiled(text: str) -> Callable[[Row], bool]:
    """Return whether a row meets an expression. Raises: AmlkitError: it is none."""
    try:
        tree = filters.parse(text)
    except filters.BadFilter as bad:
        raise AmlkitError(f"filter `{text}`: {bad}") from None
    wanted = filters.columns(tree)

    def meets(row: Row) -> bool:
        for name in wanted:
            if name not in row:
                raise AmlkitError(
                    f"filter `{text}`: there is no column `{name}`",
                    hint=f"the table has {', '.join(row)}",
                )
        try:
            return bool(_value(tree, row))
        except (TypeError, ValueError, ArithmeticError) as cause:
            raise AmlkitError(
                f"filter `{text}` cannot be applied to {_cells(row, wanted)}: {cause}",
                hint="give the column another type before: convert_column_types",
            ) from None

    return meets


def _cells(row: Row, wanted: list[str]) -> str:
    return ", ".join(f"{name}={row[name]!r}" for name in wanted)


def _value(node: ast.expr, row: Row) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return row[node.id]
    if isinstance(node, ast.BoolOp):
        meets = all if isinstance(node.op, ast.And) else any
        return meets(bool(_value(each, row)) for each in node.values)
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, row)
        return not value if isinstance(node.op, ast.Not) else -value
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, row), _value(node.right, row)
        return None if left is None or right is None else _COUNT[type(node.op)](left, right)
    if isinstance(node, ast.Compare):
        left, right = _value(node.left, row), _value(node.comparators[0], row)
        if left is None or right is None:
            return False
        return _COMPARE[type(node.ops[0])](left, right)
    assert isinstance(node, ast.Call)
    return _called(node, row)


def _called(node: ast.Call, row: Row) -> Any:
    if (column := filters.column_of(node)) is not None:
        return row[column]
    if isinstance(node.func, ast.Attribute):
        text, start = _value(node.func.value, row), _value(node.args[0], row)
        return text is not None and str(text).startswith(str(start))
    year, month, day, *clock = (int(_value(each, row)) for each in node.args)
    hour, minute, second = [*clock, 0, 0, 0][:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
