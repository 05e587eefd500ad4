"""The three forms of a report: they load nothing, obey nothing that a file or a person wrote, and say the same numbers."""

import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from data.store import Store
from data.study import Study
from reports.of_study.report import documents_of
from reports.written import html, latex, markdown
from reports.written.content import Beside, Forest, Matrix, Report, code, emphasis, strong
from reports.written.numerals import NO_BREAK
from reports.written.whole import report_from
from tests.study_maker import MISALIGNED, Sitting, draw_batch, label, make_study, run_line, verdict

ATTACK = (
    "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)> | a | `b` **c** "
    "[d](http://evil.example) ![e](//evil) "
    r"\input{/etc/passwd} \write18{x} $x_1^2$ %c #h &n ~t {{ }} ``q'' -- --- << ?` "
    "www.evil.example \x1b[2J\u202eevil\u2066\u200b\u2028 é ß ł 漢字 🚢 http://evil.example/path"
)
TELLING = "onerror=alert(2)"
"""A piece that every form shows as it is."""
_TAGS = (
    "html head meta title style body h1 h2 h3 p section div figure figcaption table caption thead tbody tr th td ul li b i span "
    "code pre blockquote svg desc g path rect line text"
)
MAKES_NO_LOAD = set(_TAGS.split())


class Parsed(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside != "style":
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.words += ["|"] if tag in ("td", "th") else []

    @property
    def text(self) -> str:
        return " ".join(self.words).replace(NO_BREAK, " ")


def content(study: Study, names: bool = False) -> Report:
    with Store.open(study.database) as store:
        return report_from(documents_of(study, store, None), names)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Two people and a judge at 60 items drawn by verdict, with a domain and groups."""
    folder = tmp_path_factory.mktemp("plain") / "study"
    ids = [f"r{place:03}" for place in range(120)]
    lines = [
        run_line(id, group=f"g{k % 40}", metadata={"domain": "ab"[k % 2]}, verdicts=[verdict(("misaligned", "aligned")[k % 6 > 0])])
        for k, id in enumerate(ids)
    ]
    study = make_study(folder, lines)
    draw_batch(study, 60, overlap=2, by="judge-a")
    for who, slip in (("ana", 7), ("ben", 11)):
        with Sitting(study, who) as sitting:
            truth = {id: "misaligned" if (k % 5 == 0) != (k % slip == 0) else "aligned" for k, id in enumerate(ids)}
            sitting.label_all(dict(truth))
    return content(study)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A study in which everything that anybody could write carries the attack."""
    folder = tmp_path_factory.mktemp("hostile") / "study"
    line = " ".join(ATTACK.split())
    choice, other = f"yes {line}", f"no {line}"
    question = replace(MISALIGNED, ask=line, choices=(other, choice), positive=choice)
    lines = [
        run_line(
            f"{k} {ATTACK}", task=ATTACK, metadata={f"field {line}": line if k % 2 else "b"},
            steps=[{"kind": "message", "text": ATTACK}],
            verdicts=[verdict(choice if k % 3 else other, run=printable(line)[:190].strip(), rationale=ATTACK, cites=[0])],
            labels=[label(f"a{k % 2} {printable(line)}"[:80].strip(), choice if k % 4 else other, rationale=ATTACK, evidence=[0])],
        )
        for k in range(40)
    ]  # fmt: skip
    study = make_study(folder, lines, [question], rest="[split]\ntrain = 1.0\ndev = 0.0\n")
    return content(study, names=True)


def printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())


def test_the_html_runs_and_loads_nothing(plain: Report, hostile: Report) -> None:
    for report in (plain, hostile):
        page = Parsed(html.written(report))
        assert page.tags <= MAKES_NO_LOAD, page.tags - MAKES_NO_LOAD
        loading = [(name, value) for name, value in page.attributes if name in ("src", "href", "xlink:href", "data", "action")]
        assert loading == []
        assert [name for name, _ in page.attributes if name.startswith(("on", "xmlns"))] == []
        assert [value for _, value in page.attributes if "://" in value or "url(" in value] == []
        assert "default-src 'none'" in dict(page.attributes).values() or "default-src 'none'" in str(page.attributes)
    assert "url(" not in html.STYLE.read_text(encoding="utf-8") and "@import" not in html.STYLE.read_text(encoding="utf-8")


def test_hostile_text_is_shown_in_html_and_obeyed_nowhere(hostile: Report) -> None:
    page = html.written(hostile)
    assert TELLING in Parsed(page).text
    assert "<script" not in page and "<img" not in page
    assert steering(page) == ""


def test_hostile_text_is_shown_in_markdown_and_obeyed_nowhere(hostile: Report) -> None:
    text = markdown.written(hostile)
    assert steering(text) == ""
    for dialect in ("commonmark", "gfm-like"):
        parser = MarkdownIt(dialect, {"html": True, "linkify": False}).enable("table")
        rendered = Parsed(parser.render(text))
        assert TELLING in rendered.text
        assert rendered.tags <= MAKES_NO_LOAD | {"strong", "em"}, rendered.tags
        assert {name for name, _ in rendered.attributes} <= {"style", "class"}


def test_markdown_leaves_none_of_its_signs_in_the_text(plain: Report) -> None:
    rendered = Parsed(MarkdownIt("commonmark").enable("table").render(markdown.written(plain)))
    assert "*" not in rendered.text and "&emsp;" not in rendered.text


def test_words_that_stand_out_do_so_beside_blanks_too() -> None:
    words = (emphasis(" a: "), "b ", strong("c "), "d", code("`e|"))
    assert markdown.written(Report("t", words, ())) == "# t\n\n *a:* b **c** d`` `e| ``\n".replace("\n\n ", "\n\n")


def test_every_row_of_a_markdown_table_has_the_cells_of_its_head(plain: Report, hostile: Report) -> None:
    for report in (plain, hostile):
        width = 0
        for line in markdown.written(report).splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            assert cells == 0 or width in (0, cells), line
            width = cells


_COMMANDS = r"""& % # _ $ { } \ , ' ` " ^ ~ = . - H r v c k u S AE OE O L ae oe o l i j ss cdot times le ge pm rightarrow
    downarrow frac kappa alpha Delta langle rangle ldots textbackslash textasciitilde textasciicircum textquotedbl textasciigrave
    rjchar rjsoft rjcaption rjtop rjsummary rjinterval textbf texttt emph allowbreak begin end section subsection item setlength
    itemsep par small footnotesize Large bfseries ttfamily raggedright arraybackslash linewidth toprule midrule bottomrule endhead
    endfirsthead endlastfoot multicolumn cellcolor color renewcommand arraystretch hspace makebox hfill quad centering caption
    setcounter tabcolsep"""
KNOWN = set(_COMMANDS.split())
"""Every command that the body of a report may hold."""


def body(report: Report) -> str:
    return latex.written(report).split(r"\begin{document}")[1].split(r"\end{document}")[0]


def test_hostile_text_is_shown_in_latex_and_obeyed_nowhere(plain: Report, hostile: Report) -> None:
    assert TELLING in body(hostile)
    for report in (plain, hostile):
        commands = set(re.findall(r"\\([A-Za-z]+|.)", body(report), re.DOTALL))
        assert commands <= KNOWN, commands - KNOWN
        assert "input" not in commands and "write" not in commands
        # A comment would hide the rest of its line, and with it a brace.
        assert re.findall(r"(?<!\\)%", body(report)) == []


def test_the_latex_is_ascii_and_balanced(plain: Report, hostile: Report) -> None:
    for report in (plain, hostile):
        text = latex.written(report)
        assert text.isascii()
        bare = re.sub(r"\\[{}$\\&%#_]", "", body(report))
        depth = 0
        for sign in bare:
            depth += (sign == "{") - (sign == "}")
            assert depth >= 0
        assert depth == 0
        assert bare.count("$") % 2 == 0
        opened: list[str] = []
        for kind, name in re.findall(r"\\(begin|end)\{([a-z]+\*?)\}", body(report)):
            if kind == "begin":
                opened.append(name)
            else:
                assert opened.pop() == name
        assert opened == []


def test_every_row_of_a_latex_table_has_the_cells_of_its_layout(plain: Report, hostile: Report) -> None:
    for report in (plain, hostile):
        for table in re.findall(r"\\begin\{longtable\}.*?\\end\{longtable\}", body(report), re.DOTALL):
            rows = [row for row in table.split("\n") if row.endswith(r"\\") and "&" in row]
            assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1, table


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a–b — c − d", "a--b --- c $-$ d"),
        ("--- -- '' ``", "-{}-{}- -{}- '{}' \\textasciigrave{}\\textasciigrave{}"),
        ("-–", "-{}--"),
        ("“it’s” é ß ł ï ñ", "``it's'' \\'{e} \\ss{} \\l{} \\\"{\\i} \\~{n}"),
        ("100 % of_$5 #1 & ~^\\{}", "100 \\% of\\_\\$5 \\#1 \\& \\textasciitilde{}\\textasciicircum{}\\textbackslash{}\\{\\}"),
        ("漢 🚢", "\\rjchar{6F22} \\rjchar{1F6A2}"),
        ("a\nb\x00", "a b$\\langle$U+0000$\\rangle$"),
    ],
)
def test_text_in_latex(text: str, told: str) -> None:
    assert latex.said(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a|b*c_d`e[f]", r"a\|b\*c\_d\`e\[f\]"),
        ("<b> & c", "&lt;b&gt; &amp; c"),
        ("http://x www.x", r"http\://x www\.x"),
        ("1.5 (n = 3) – judge-a", "1.5 (n = 3) – judge-a"),
    ],
)
def test_text_in_markdown(text: str, told: str) -> None:
    assert markdown.said(text) == told


def steering(text: str) -> str:
    """Characters that turn the reading direction or cannot be seen, but for the blank that does not break."""
    return "".join(sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") and sign != "\n")


FIGURE = re.compile(r"[−0-9.]+ (?:%? ?)\[[−0-9., ]+\]")


def figures_of(text: str) -> set[str]:
    return {" ".join(found.split()) for found in FIGURE.findall(text.replace(NO_BREAK, " "))}


def from_latex(text: str) -> str:
    return text.replace("$-$", "−").replace("~", " ").replace(r"\%", "%")


def test_the_three_forms_say_the_same_numbers(plain: Report) -> None:
    in_html = figures_of(from_latex(Parsed(html.written(plain)).text))
    in_markdown = figures_of(from_latex(markdown.written(plain)).replace("\\", ""))
    in_latex = figures_of(from_latex(body(plain)))
    assert len(in_markdown) > 30
    assert in_markdown == in_latex
    # HTML draws its forests: there the numbers stand in the drawing and in its words.
    drawn = {figure for forest in forests(plain) for row in forest.rows for figure in figures_of(said(row.estimate))}
    assert in_html <= in_markdown
    assert in_markdown - in_html <= drawn


def said(estimate: object) -> str:
    from reports.written.numerals import figure

    return figure(estimate.as_json())  # type: ignore[attr-defined]


def forests(report: Report) -> list[Forest]:
    found = [block for section in report.sections for block in section.blocks]
    return [block for block in found if isinstance(block, Forest)] + [block.forest for block in found if isinstance(block, Beside)]


def matrices(report: Report) -> list[Matrix]:
    found = [block for section in report.sections for block in section.blocks]
    return [block for block in found if isinstance(block, Matrix)] + [block.matrix for block in found if isinstance(block, Beside)]


def test_counts_and_row_shares_of_a_matrix_are_text_in_every_form(plain: Report) -> None:
    (matrix,) = matrices(plain)
    page, text, tex = Parsed(html.written(plain)).text, markdown.written(plain), from_latex(body(plain))
    assert len(matrix.counts) == 2
    for counts, shares in zip(matrix.counts, matrix.shares, strict=True):
        for count, share in zip(counts, shares, strict=True):
            assert share is not None
            told = f"{count} ({100 * share:.0f} %)"
            assert told in page and told in text.replace(NO_BREAK, " ") and told in tex.replace(r"\textbf{", "").replace("}", "")


def test_every_figure_has_a_name_and_words(plain: Report, hostile: Report) -> None:
    for report in (plain, hostile):
        page = html.written(report)
        drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
        assert len(drawings) >= 2
        for drawing in drawings:
            named = re.match(r'<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)">', drawing)
            assert named is not None
            for id in named.groups():
                assert page.count(f'id="{id}"') == 1
            assert len(re.findall(r"<title id=[^>]*>[^<]+</title>", drawing)) == 1
            assert len(re.findall(r"<desc id=[^>]*>[^<]{20,}</desc>", drawing)) == 1


def test_without_names_no_annotator_is_named(plain: Report) -> None:
    for form in (html.written(plain), markdown.written(plain), latex.written(plain)):
        assert re.search(r"\b(ana|ben)\b", form) is None
        assert "annotator-1" in form and "annotator-2" in form
