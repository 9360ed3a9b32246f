"""Markdown as HTML for feedback and formgrader pages: formulas without the network, no scripts."""

from __future__ import annotations

import html
from typing import Any

import bleach
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# What Markdown itself gives, and the plain HTML that people write in it. A student's text is shown
# to the instructor, in whose name a script in it would act.
_TAGS = {
    *bleach.ALLOWED_TAGS,
    *("br", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("img", "p", "pre", "s", "span", "sub", "summary", "sup", "table", "tbody", "td", "th"),
    *("thead", "tr"),
}
_ATTRIBUTES = {
    **bleach.ALLOWED_ATTRIBUTES,
    "*": ["class", "id"],
    "img": ["alt", "src", "title", "width", "height"],
}


class _Renderer(IPythonRenderer):
    """Keeps formulas aside as MathML, which browsers draw by themselves, until HTML is cleaned."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.formulas: dict[str, str] = {}

    def inline_math(self, body: str) -> str:
        """A formula in a line of text."""
        return self._aside(body, "inline")

    def block_math(self, body: str) -> str:
        """A formula in a line of its own."""
        return self._aside(body, "block")

    def _aside(self, tex: str, display: str) -> str:
        key = f"\ue000{len(self.formulas)}\ue001"  # private characters that no text has
        self.formulas[key] = _mathml(tex, display)
        return key


class _Clean(str):
    """HTML that holds no script."""


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """The HTML of a Markdown cell: `c.HTMLExporter.filters["markdown2html"]`."""
    cell = context.get("cell", {})
    renderer = _Renderer(
        escape=False, attachments=cell.get("attachments", {}), exclude_anchor_links=True
    )
    text = MarkdownWithMath(renderer=renderer).render(source.translate({0xE000: "", 0xE001: ""}))
    text = clean_html(text)
    for key, formula in renderer.formulas.items():
        text = text.replace(key, formula)
    return _Clean(text)


def clean_html(element: object) -> str:
    """`element`, the HTML of an output, without scripts: `c.HTMLExporter.filters["clean_html"]`."""
    if isinstance(element, _Clean):  # some templates clean Markdown once more
        return element
    text = element.decode() if isinstance(element, bytes) else str(element)
    return bleach.clean(text, _TAGS, _ATTRIBUTES, protocols={*bleach.ALLOWED_PROTOCOLS, "data"})


def _mathml(tex: str, display: str) -> str:
    """The formula for the browser, or as it was written where it can't be understood."""
    # Here, not above: a student's JupyterLab reads the same settings, and does without.
    from latex2mathml.converter import convert

    try:
        return convert(tex, display=display)
    except Exception:  # any of a dozen that it raises for broken formulas
        return f"<code>{html.escape(tex)}</code>"
