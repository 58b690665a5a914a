"""Where the SQL that is run comes from, read off the syntax tree."""

from __future__ import annotations

import ast
import functools
import pathlib
from collections.abc import Callable, Iterable, Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "audit", "cloudscribe", "documents", "security")
# Calls whose first argument is run as SQL.
METHODS = frozenset({"execute", "executemany", "raw", "extra", "copy", "stream"})
FUNCTIONS = frozenset({"ask_along", "prepared_rows", "sent_along", "RawSQL", "RunSQL"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def tree(module: str) -> ast.Module | None:
    """The syntax tree of a module of the project, None for one of somebody else's."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    base = ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return ast.parse(path.read_text(encoding="utf-8"))
    return None


def modules() -> Iterator[str]:
    """Every module of the product; migrations run before anybody can ask for anything."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def built_texts(module: str, text: ast.Module | None = None) -> set[str]:
    """The texts that a module runs and that aren't written out: `module:name` or `module:function(name)`."""
    found: set[str] = set()
    body = text or tree(module)
    assert body is not None
    for function, call in _calls(body, None, _runs_sql):
        argument = _argument(call)
        if argument is not None:
            found |= _Origin(module, body, function).of(argument)
    return found


def _calls(
    node: ast.AST, function: Function | None, wanted: Callable[[ast.expr], bool]
) -> Iterator[tuple[Function | None, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inside = child if isinstance(child, Function) else function
        if isinstance(child, ast.Call) and wanted(child.func):
            yield function, child
        yield from _calls(child, inside, wanted)


def _runs_sql(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):
        namesake = isinstance(called.value, ast.Name) and called.value.id in {"copy", "env", "pool"}
        return not namesake and called.attr in METHODS | FUNCTIONS
    return isinstance(called, ast.Name) and called.id in FUNCTIONS


def _argument(call: ast.Call) -> ast.expr | None:
    named = {word.arg: word.value for word in call.keywords}
    return call.args[0] if call.args else named.get("sql") or named.get("query") or named.get("where")


class _Origin:
    """Follows an expression to the texts that it is made of."""

    def __init__(self, module: str, body: ast.Module, function: Function | None) -> None:
        self._module, self._body, self._function = module, body, function
        self._seen: set[str] = set()

    def of(self, expression: ast.expr) -> set[str]:
        """What is not written out in it."""
        if isinstance(expression, ast.Constant):
            return set()
        if isinstance(expression, ast.Name):
            return self._name(expression.id)
        if isinstance(expression, ast.Subscript):
            return self.of(expression.value)
        if isinstance(expression, ast.Dict):
            return self._all(expression.values)
        if isinstance(expression, ast.List | ast.Tuple):
            return self._all(expression.elts)
        if isinstance(expression, ast.IfExp):
            return self._all([expression.body, expression.orelse])
        return {self._place(ast.unparse(expression)[:60])}

    def _all(self, expressions: Iterable[ast.expr]) -> set[str]:
        return set().union(*(self.of(each) for each in expressions))

    def _name(self, name: str) -> set[str]:
        if name in self._seen:
            return set()
        self._seen.add(name)
        if self._function is not None and (local := _assigned(self._function, name)):
            if all(isinstance(value, ast.arg) for value in local):
                return self._given(self._function, name)
            if any(not isinstance(value, ast.expr) or _is_built(value) for value in local):
                return {self._place(name)}
            return self._all(value for value in local if isinstance(value, ast.expr))
        if values := _assigned(self._body, name):
            written = _Origin(self._module, self._body, None)
            static = all(isinstance(value, ast.expr) and not written.of(value) for value in values)
            return set() if static else {f"{self._module}:{name}"}
        return self._imported(name)

    def _given(self, function: Function, name: str) -> set[str]:
        """What a private function's callers, all of this module, give it; a public one's aren't known."""
        at = [each.arg for each in function.args.args if each.arg != "self"].index(name)

        def calls_it(called: ast.expr) -> bool:
            return function.name in {getattr(called, "id", ""), getattr(called, "attr", "")}

        found: set[str] = set()
        callers = list(_calls(self._body, None, calls_it)) if function.name.startswith("_") else []
        for caller, call in callers:
            found |= _Origin(self._module, self._body, caller).of(call.args[at])
        return found if callers else {self._place(name)}

    def _imported(self, name: str) -> set[str]:
        for node in ast.walk(self._body):
            for alias in node.names if isinstance(node, ast.ImportFrom) else []:
                if (alias.asname or alias.name) == name and isinstance(node, ast.ImportFrom):
                    there = tree(node.module or "")
                    if there is not None:
                        return _Origin(str(node.module), there, None)._name(alias.name)
        return {self._place(name)}

    def _place(self, text: str) -> str:
        function = self._function.name if self._function else ""
        return f"{self._module}:{function}({text})"


def _is_built(value: ast.expr) -> bool:
    return not isinstance(value, ast.Constant | ast.Name | ast.Subscript | ast.IfExp)


def _assigned(scope: ast.AST, name: str) -> list[ast.AST]:
    """What a name is bound to in a scope: values, or the binding where it is a parameter or a loop's."""
    found: list[ast.AST] = []
    if isinstance(scope, Function):
        arguments = scope.args
        found += [
            each
            for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            if each.arg == name
        ]
    for node in ast.walk(scope) if isinstance(scope, Function) else ast.iter_child_nodes(scope):
        found += _bound(node, name)
    return found


def _bound(node: ast.AST, name: str) -> list[ast.AST]:
    if isinstance(node, ast.Assign) and any(_holds(target, name) for target in node.targets):
        plain = any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        return [node.value if plain else node]
    if isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and _holds(node.target, name):
        return [node if isinstance(node, ast.AugAssign) or node.value is None else node.value]
    if isinstance(node, ast.For | ast.comprehension) and _holds(node.target, name):
        return [node]
    return []


def _holds(target: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(target))
