"""The shared core of most widgets: controls, one picture, and a live sentence with numbers.

A widget is three parts, and only this module knows that there are widgets in the world:
`compute(state, *given) -> arrays` is pure, and `given` are the student's functions;
`draw(figure, style) -> update(arrays)` makes artists; `caption(state, arrays) -> str` says in one
sentence what is to be seen.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from course.threads import one_thread

from .picture import Arrays, Draw, Picture
from .style import Style, minus

State = dict[str, Any]
STATIC = Path(__file__).parent / "static"


def slider(
    name: str,
    label: str,
    value: float,
    low: float,
    high: float,
    step: float,
    when: tuple[str, Sequence[str]] | None = None,
    play: int = 0,
) -> dict[str, Any]:
    """A number in [low, high]. `when=(choice, values)`: shown only while that choice is among them.

    `play` > 0 adds play, step and reset: the slider then moves one step every `play` milliseconds.
    """
    return {
        "kind": "slider",
        "name": name,
        "label": label,
        "value": value,
        "low": low,
        "high": high,
        "step": step,
        "when": when and [when[0], list(when[1])],
        "play": play,
    }


def choice(name: str, label: str, value: str, options: Mapping[str, str]) -> dict[str, Any]:
    """One of `options` {value: what the reader sees}."""
    return {
        "kind": "choice",
        "name": name,
        "label": label,
        "value": value,
        "options": [[key, text] for key, text in options.items()],
    }


def seed(name: str = "seed", label: str = "seed", value: int = 0) -> dict[str, Any]:
    """The seed of what is random: to be seen, set and drawn anew."""
    return {"kind": "seed", "name": name, "label": label, "value": value, "low": 0, "high": 9999}


def preset(name: str, ask: str, **state: Any) -> dict[str, Any]:
    """A named state worth arguing about, and the question to argue about before touching it."""
    return {"name": name, "ask": ask, "state": state}


def said(*sentences: str) -> str:
    """What there is to say, after one another: notes on a student's functions, and the caption."""
    return " ".join(filter(None, sentences))


def script(name: str) -> str:
    """The JavaScript of a widget, after what all of them share: it can import nothing."""
    return "".join((STATIC / part).read_text(encoding="utf-8") for part in ("common.js", name))


class Shown(anywidget.AnyWidget):
    """What all widgets are: a title, presets, and a picture for where no kernel runs."""

    title = traitlets.Unicode().tag(sync=True)
    presets: traitlets.List = traitlets.List().tag(sync=True)

    def still(self) -> tuple[bytes, str]:
        """The present state as a PNG on light paper, and the sentence that describes it."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget, and its still."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        picture, sentence = self.still()
        data["image/png"] = base64.b64encode(picture).decode()
        data["text/plain"] = f"{self.title}. {sentence}"
        return data, metadata


class Panel(Shown):
    """Controls above one picture. The first preset is where it starts.

    `given`: the student's functions (or None), which `compute` gets after the state.
    `drag={"axes": 0, "x": "z"}`: a drag in those axes moves the control of that name (also "y").
    Setting `panel.state = {...}` from Python moves the controls.
    """

    _esm = script("panel.js")
    _css = STATIC / "panel.css"

    # How the browser looked at the panel that it told of last: most likely at the next one too.
    last_view: ClassVar[dict[str, Any]] = {"dark": False, "narrow": False, "ratio": 1}

    controls: traitlets.List = traitlets.List().tag(sync=True)
    # What the browser sets, it knows: no echo.
    state = traitlets.Dict().tag(sync=True, echo_update=False)
    view = traitlets.Dict().tag(sync=True)
    geometry = traitlets.Dict().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        title: str,
        compute: Callable[..., Arrays],
        draw: Draw,
        caption: Callable[[State, Arrays], str],
        controls: Sequence[dict[str, Any]],
        presets: Sequence[dict[str, Any]],
        given: Sequence[Any] = (),
        views: int = 2,
        drag: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._compute: Callable[[State], Arrays] = lambda state: compute(state, *given)
        self._draw, self._sentence = draw, caption
        self._views, self._drag = views, drag
        self._controls = {control["name"]: control for control in controls}
        start = {name: control["value"] for name, control in self._controls.items()}
        start |= presets[0]["state"] if presets else {}
        super().__init__(
            title=title,
            controls=list(controls),
            presets=list(presets),
            state=start,
            view=Panel.last_view,
        )
        self.observe(self._look, "view")
        self.observe(self._redraw, "state")
        self._look()

    @traitlets.validate("state")
    def _bounded(self, proposal: Any) -> State:
        """Every control has a value, and one that it allows."""
        state = {name: control["value"] for name, control in self._controls.items()}
        for name, value in proposal["value"].items():
            if name in self._controls:
                state[name] = allowed(self._controls[name], value)
        return state

    def _look(self, change: Any = None) -> None:
        if change:
            Panel.last_view = self.view
        self._style = Style(
            dark=bool(self.view.get("dark")),
            narrow=bool(self.view.get("narrow")),
            ratio=min(2.0, max(1.0, float(self.view.get("ratio", 1)))),
        )
        self._picture = Picture(self._draw, self._views, self._style)
        self._redraw()

    def _redraw(self, _change: Any = None) -> None:
        with one_thread():
            arrays = self._compute(self.state)
        picture = self._picture.png(arrays)
        handles = [self._picture.frame(d["axes"]) | {"names": d} for d in self._drag]
        with self.hold_sync():
            self.caption = minus(self._sentence(self.state, arrays))
            self.geometry = {"size": list(self._picture.size()), "handles": handles}
            self.picture = picture

    def still(self) -> tuple[bytes, str]:
        """As in `Shown`; drawn again where the present picture is not on light paper."""
        plain = Style()
        if self._style == plain:
            return self.picture, self.caption
        drawn = Picture(self._draw, self._views, plain).png(self._compute(self.state))
        return drawn, self.caption


def allowed(control: dict[str, Any], value: Any) -> Any:
    """`value`, or what the control has instead when it can't take it."""
    if control["kind"] == "choice":
        return value if value in [key for key, _ in control["options"]] else control["value"]
    if not isinstance(value, int | float) or value != value:
        return control["value"]
    bounded = min(control["high"], max(control["low"], value))
    return int(bounded) if control["kind"] == "seed" else bounded
