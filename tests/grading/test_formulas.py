"""Do formulas reach the page, and scripts not?"""

from html.parser import HTMLParser

import pytest
from jinja2 import Environment

from course.grading.formulas import clean_html, markdown2html


def page(source: str) -> str:
    """As nbconvert's templates do it: some clean the result of `markdown2html` once more."""
    environment = Environment()
    environment.filters.update(markdown2html=markdown2html, clean_html=clean_html)
    return environment.from_string("{{ source | markdown2html | clean_html }}").render(
        source=source
    )


def test_formulas_become_mathml() -> None:
    assert "<mfrac><mrow><mi>z</mi></mrow><mrow><mn>2</mn></mrow></mfrac>" in page(
        r"so $\frac{z}{2}$"
    )
    assert '<math display="block"' in page("$$x^2$$").replace(
        ' xmlns="http://www.w3.org/1998/Math/MathML"', ""
    )


def test_a_formula_that_cannot_be_read_is_shown_as_written() -> None:
    assert r"<code>\frac{</code>" in page(r"$\frac{$")


def test_markdown_stays() -> None:
    made = page("# Title\n\n**bold** `code`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![x](a.png)")
    for part in ("<h1>Title</h1>", "<strong>bold</strong>", "<td>1</td>", "<img"):
        assert part in made


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        "[x](javascript:alert(1))",
        '<a href="javascript:alert(1)">x</a>',
        "$<img src=x onerror=alert(1)>$",
        r"$\text{<script>alert(1)</script>}$",
        r"$\href{javascript:alert(1)}{x}$",
        "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        '<div style="background:url(javascript:alert(1))">',
    ],
)
def test_no_script_gets_through(source: str) -> None:
    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "style", "svg", "iframe")
            for name, value in attrs:
                assert not name.startswith("on")
                assert name != "style"
                assert "javascript:" not in (value or "")

    Reader().feed(page(source))
