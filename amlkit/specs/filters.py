"""The `filter` expressions of MLTable files: `col("temperature") > 32 and col("city") == "UK"`.

What the `mltable` package takes was tried out with mltable 1.7; what it refuses is refused here.
"""

from __future__ import annotations

import ast

COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod)
METHODS = frozenset({"starts_with"})


class BadFilter(ValueError):
    """An expression that the `mltable` package does not take, and why."""


def parse(text: str) -> ast.expr:
    """Return the expression as a tree of nodes that all are known. Raises: BadFilter."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadFilter(
            "this is no expression, as `col('age') > 30 and col('city') == 'UK'`"
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.BitAnd | ast.BitOr):
            raise BadFilter("between conditions write `and` and `or`; `&` and `|` are not known")
    _check(tree)
    return tree


def columns(tree: ast.expr) -> list[str]:
    """Return the columns that an expression reads, in the order of their first use."""
    found = [_column(each) for each in ast.walk(tree)]
    return list(dict.fromkeys(each for each in found if each is not None))


def _column(node: ast.AST) -> str | None:
    if (called := column_of(node)) is not None:
        return called
    return node.id if isinstance(node, ast.Name) and node.id not in {"col", "datetime"} else None


def column_of(node: ast.AST) -> str | None:
    """Return the column of `col("name")`, or None for another node."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    if node.func.id != "col" or len(node.args) != 1 or node.keywords:
        return None
    name = node.args[0]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


def _check(node: ast.expr) -> None:
    if isinstance(node, ast.BoolOp):
        below = node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        below = [node.operand]
    elif isinstance(node, ast.BinOp):
        if not isinstance(node.op, ARITHMETIC):
            raise BadFilter(f"`{ast.unparse(node)}`: count with +, -, *, / and %")
        below = [node.left, node.right]
    elif isinstance(node, ast.Compare):
        below = _compared(node)
    elif isinstance(node, ast.Call):
        below = _called(node)
    elif isinstance(node, ast.Name) or _is_literal(node):
        return
    else:
        raise BadFilter(f"`{ast.unparse(node)}` is not known in a filter")
    for each in below:
        _check(each)


def _compared(node: ast.Compare) -> list[ast.expr]:
    if len(node.ops) > 1:
        raise BadFilter(
            f"`{ast.unparse(node)}` compares twice: write `col('a') > 1 and col('a') < 5`"
        )
    if not isinstance(node.ops[0], COMPARISONS):
        raise BadFilter(f"`{ast.unparse(node)}`: compare by ==, !=, <, <=, > or >=")
    return [node.left, node.comparators[0]]


def _called(node: ast.Call) -> list[ast.expr]:
    if column_of(node) is not None:
        return []
    if node.keywords:
        raise BadFilter(f"`{ast.unparse(node)}`: arguments have no names in a filter")
    if isinstance(node.func, ast.Attribute):
        if node.func.attr not in METHODS:
            raise BadFilter(f"`{node.func.attr}` is not known in a filter")
        if len(node.args) != 1:
            raise BadFilter(f"`{ast.unparse(node)}`: one text is needed")
        return [node.func.value, *node.args]
    if isinstance(node.func, ast.Name) and node.func.id == "datetime" and 3 <= len(node.args) <= 6:
        return list(node.args)
    raise BadFilter(f"`{ast.unparse(node)}` is not known in a filter; a column is `col('name')`")


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (
        node.value is None or isinstance(node.value, str | int | float)
    )
