"""Calls made from other calls: about the same, or with another argument."""

from __future__ import annotations

import random
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.record import plain


class Variations:
    """Draws calls of a model that resemble others."""

    def __init__(self, model: type[Machine], draw: random.Random) -> None:
        self._model, self._draw = model, draw

    def any(self, near: Call, action: str | None = None) -> Call:
        """A call of any action, or of one, often about what another call is about."""
        name = action or self._draw.choice(list(actions_of(self._model)))
        hints = actions_of(self._model)[name].arguments
        return self.like(Call(name, {n: self._argument(hint) for n, hint in hints.items()}), near, 0.6)

    def _argument(self, hint: Any) -> Any:
        kind = plain(hint)
        if kind is int:
            number = hint.__metadata__[0]
            return self._draw.choice((number.low, number.high, *number.typical))
        return self._draw.choice((False, True) if kind is bool else self._model.universe[kind])

    def like(self, call: Call, other: Call, often: float) -> Call:
        """A call with identifiers of another one, of those that may stand in the same place."""
        infos, arguments = actions_of(self._model), dict(call.arguments)
        given = {plain(hint): other.arguments[name] for name, hint in reversed(infos[other.action].arguments.items())}
        for name, hint in infos[call.action].arguments.items():
            kind = plain(hint)
            options = () if kind in (int, bool) else self._model.universe[kind]
            fitting = [one for one in (given.get(kind), *given.values()) if one in options]
            if fitting and self._draw.random() < often:
                arguments[name] = fitting[0] if often == 1 else self._draw.choice(fitting)
        return Call(call.action, arguments)

    def spoilt(self, call: Call) -> Call:
        """The call with another argument."""
        draw = self._draw
        name, hint = draw.choice(list(actions_of(self._model)[call.action].arguments.items()) or [("", None)])
        if not name:
            return call
        kind = plain(hint)
        if kind is bool:
            value: Any = not call.arguments[name]
        elif kind is int:
            number, old = hint.__metadata__[0], call.arguments[name]
            near = (0, 1, old + 1, old - 1, old * 2, old // 2, number.high, *number.typical)
            value = min(max(draw.choice(near), number.low), number.high)
        else:
            value = draw.choice(self._model.universe[kind])
        return call.changed(name, value)
