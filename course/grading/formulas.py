"""Markdown as HTML for feedback and formgrader pages: formulas without the network, no scripts."""

from __future__ import annotations

import html
from typing import Any

import bleach
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# What Markdown itself gives, the plain HTML that people write in it, and formulas as MathML, which
# browsers draw by themselves. A student's text is shown to the instructor, in whose name a script
# in it would act.
_TAGS = {
    *bleach.ALLOWED_TAGS,
    *("br", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("img", "p", "pre", "s", "span", "sub", "summary", "sup", "table", "tbody", "td", "th"),
    *("thead", "tr"),
    *("math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot"),
    *("mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext"),
    *("mtr", "munder", "munderover"),
}
_ATTRIBUTES = {
    **bleach.ALLOWED_ATTRIBUTES,
    "*": ["class", "id"],
    "img": ["alt", "src", "title", "width", "height"],
    "math": ["display", "xmlns"],
    "mo": ["accent", "fence", "form", "lspace", "movablelimits", "rspace", "stretchy"],
    "mi": ["mathvariant"],
    "mfrac": ["linethickness"],
    "mspace": ["width"],
    "mstyle": ["displaystyle", "scriptlevel"],
    "mtd": ["columnalign"],
}


class _Renderer(IPythonRenderer):
    """Markdown as in notebooks, with formulas as MathML."""

    def inline_math(self, body: str) -> str:
        """A formula in a line of text."""
        return _mathml(body, "inline")

    def block_math(self, body: str) -> str:
        """A formula in a line of its own."""
        return _mathml(body, "block")


@pass_context
def markdown2html(context: Context | dict[str, Any], source: str) -> str:
    """The HTML of a Markdown cell: `c.HTMLExporter.filters["markdown2html"]`."""
    cell = context.get("cell", {})
    renderer = _Renderer(
        escape=False, attachments=cell.get("attachments", {}), exclude_anchor_links=True
    )
    return clean_html(MarkdownWithMath(renderer=renderer).render(source))


def clean_html(element: object) -> str:
    """`element`, any HTML, without scripts: `c.HTMLExporter.filters["clean_html"]`."""
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
