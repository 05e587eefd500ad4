r"""The report as LaTeX for a plain `pdflatex` (or any later engine): an article with `booktabs`, and nothing unusual.

The file is pure ASCII: what LaTeX reads as a command is escaped, accents become LaTeX's, and a character
that pdflatex has no glyph for is shown by its number, or itself under XeLaTeX and LuaLaTeX (`\rjchar`).
"""

import math
import unicodedata

from reports.forest import ForestRow
from reports.width import fit
from reports.written.content import (
    Beside,
    Block,
    Forest,
    Marked,
    Matrix,
    PaperTable,
    Paragraph,
    Points,
    Report,
    Row,
    Section,
    Table,
    Words,
    seen,
    seen_lines,
)
from reports.written.numerals import DARK, NOTHING, figure, percent, shade

PREAMBLE = r"""% Compile with pdflatex, xelatex or lualatex. To use parts of it in a paper, take over these packages and commands.
\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[margin=22mm]{geometry}
\usepackage{array}
\usepackage{booktabs}
\usepackage{longtable}
\usepackage[table]{xcolor}
\definecolor{rjblue}{HTML}{2F5D8A}
\definecolor{rjbrown}{HTML}{8A5A1E}
\definecolor{rjgrey}{HTML}{5D636D}
\setlength{\parindent}{0pt}
\setlength{\parskip}{5pt plus 1pt}
\setlength{\LTpre}{8pt}
\setlength{\LTpost}{8pt}
\emergencystretch=3em
\newcommand{\rjsoft}[1]{{\color{rjgrey}#1}}
\newcommand{\rjcaption}[1]{{\small\itshape #1\par}\nopagebreak}
\newcommand{\rjtop}[1]{\makebox[0pt][l]{\parbox[b]{\linewidth}{\small\itshape #1}}}
\newcommand{\rjsummary}[1]{\par\medskip\noindent\colorbox{rjblue!7}{\parbox{\dimexpr\linewidth-2\fboxsep}{#1}}\par\medskip}
% A character by its number: the engine's own where it has it, else the number.
\ifdefined\XeTeXrevision\newcommand{\rjchar}[1]{\char"#1\relax}\else
\ifdefined\directlua\newcommand{\rjchar}[1]{\char"#1\relax}\else
\newcommand{\rjchar}[1]{{\footnotesize\ttfamily[U+#1]}}\fi\fi
% An interval on an axis of 40 mm: from, length, value (in mm), colour.
\newcommand{\rjinterval}[4]{\makebox[40mm][l]{\color{#4}%
\rlap{\hspace{#1mm}\rule[0.55ex]{#2mm}{0.9pt}}\rlap{\hspace{#3mm}\hspace{-0.8mm}\rule[0.15ex]{1.6mm}{1.6mm}}}}
\begin{document}
"""
AXIS_MM = 40
_LETTER = 0.0112
"""How wide a letter of small print is about, of the line."""
_MOST_SMALL = 6
"""Columns of a table in small print; more need smaller."""
_LONGEST_NAME = 24
"""Of a choice in a matrix, in letters; lists have the whole of it."""
_UNBROKEN = 16
"""Characters of a hash or an id that stay on one line."""
_COLOURS = {"circle": "rjblue", "square": "rjbrown", "diamond": "rjgrey"}

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "&": r"\&",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "\N{NO-BREAK SPACE}": "~", "\N{THIN SPACE}": r"\,", "\N{EN DASH}": "--", "\N{EM DASH}": "---", "\N{MINUS SIGN}": "$-$",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``", "\N{RIGHT DOUBLE QUOTATION MARK}": "''", "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'", "…": r"\ldots{}", "·": r"$\cdot$", "×": r"$\times$", "≤": r"$\le$", "≥": r"$\ge$",
    "±": r"$\pm$", "→": r"$\rightarrow$", "↓": r"$\downarrow$", "²": "$^2$", "³": "$^3$", "½": r"$\frac12$", "κ": r"$\kappa$",
    "α": r"$\alpha$", "Δ": r"$\Delta$", "⟨": r"$\langle$", "⟩": r"$\rangle$", "§": r"\S{}", "ß": r"\ss{}", "æ": r"\ae{}",
    "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
}  # fmt: skip
_LIGATURES = "-<>,'`"
"""Two of these in a row would become a third sign."""
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".", "\u0308": '"',
    "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0328": "k",
}  # fmt: skip


def written(report: Report) -> str:
    """The whole file."""
    lines = [PREAMBLE, rf"{{\Large\bfseries {said(report.title)}\par}}", rf"\rjsoft{{\small {_line(report.subtitle)}}}", ""]
    for section in report.sections:
        lines += _section(section)
    return "\n".join([*lines, r"\end{document}", ""])


def said(text: str) -> str:
    r"""`text` as LaTeX that shows it and obeys none of it, in ASCII alone."""
    told: list[str] = []
    for sign in map(_sign, seen(text)):
        joins = told and told[-1][-1] == sign[0] and sign[0] in _LIGATURES
        told += ["{}", sign] if joins else [sign]
    return "".join(told)


def _sign(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if sign.isascii():
        return sign
    parted = unicodedata.normalize("NFD", sign)
    base, accents = parted[0], parted[1:]
    if len(accents) == 1 and accents[0] in _ACCENTS and base.isascii() and base.isalpha():
        dotless = {"i": r"\i", "j": r"\j"}.get(base, base)
        return rf"\{_ACCENTS[accents[0]]}{{{dotless}}}"
    return rf"\rjchar{{{ord(sign):04X}}}"


def _line(words: Words) -> str:
    return "".join(_marked(part) if isinstance(part, Marked) else said(part) for part in words)


def _marked(part: Marked) -> str:
    command = {"strong": r"\textbf", "emphasis": r"\emph", "soft": r"\rjsoft", "code": r"\texttt"}[part.how]
    told = said(part.text)
    if part.how == "code":
        told = r"\allowbreak{}".join(said(part.text[at : at + _UNBROKEN]) for at in range(0, len(part.text), _UNBROKEN))
    return f"{command}{{{told}}}"


def _section(section: Section) -> list[str]:
    command = {2: "section*", 3: "subsection*"}.get(section.level, "subsubsection*")
    lines = [rf"\{command}{{{said(section.title)}}}"] if section.title else []
    for block in section.blocks:
        lines += [*_block(block), ""]
    return lines


def _block(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        told = _line(block.words)
        kinds = {"summary": rf"\rjsummary{{{told}}}", "note": rf"{{\small\rjsoft{{{told}}}\par}}"}
        return [kinds.get(block.kind, told + r"\par") if block.kind != "quote" else rf"\begin{{quote}}{told}\end{{quote}}"]
    if isinstance(block, Points):
        return [
            r"\begin{itemize}\setlength{\itemsep}{0pt}",
            *(rf"\item {{}}{_line(item)}" for item in block.items),
            r"\end{itemize}",
        ]
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Matrix):
        return _matrix(block)
    if isinstance(block, Forest):
        return _forest(block)
    if isinstance(block, Beside):
        return [*_block(block.matrix), "", *_block(block.forest)]
    if isinstance(block, PaperTable):
        return [r"\setcounter{table}{0}", paper_table(block.table)]
    return [r"{\small\ttfamily\raggedright", *(rf"{_copied(line)}\par" for line in seen_lines(block.text).split("\n")), "}"]


def _copied(line: str) -> str:
    """A line of code: blanks at its beginning stay."""
    indent = len(line) - len(line.lstrip(" "))
    return "~" * indent + said(line.lstrip(" ")) if line.strip() else "~"


def _layout(table: Table) -> str:
    """Numbers to the right, as wide as they are; text shares what they leave, by its widths."""
    letter = _LETTER if len(table.columns) <= _MOST_SMALL else 0.85 * _LETTER
    free = 0.98 - 2 * letter * len(table.columns)
    for place, column in enumerate(table.columns):
        told = [len(column.head) + 1, *(sum(map(_length, row.cells[place])) for row in table.rows)]
        free -= letter * max(told) if column.numeric else 0
    whole = sum(column.width for column in table.columns if not column.numeric) or 1
    return "".join(
        "r" if column.numeric else rf">{{\raggedright\arraybackslash}}p{{{max(0.2, free) * column.width / whole:.3f}\linewidth}}"
        for column in table.columns
    )


def _length(part: str | Marked) -> int:
    return len(part if isinstance(part, str) else part.text)


def _table(table: Table) -> list[str]:
    heads = " & ".join(rf"\textbf{{{said(column.head)}}}" for column in table.columns)
    return [
        rf"{{{_size(table)}\begin{{longtable}}[l]{{@{{}}{_layout(table)}@{{}}}}",
        *_longtable_heads(table.caption, heads, len(table.columns)),
        *(_row(row) for row in table.rows),
        r"\end{longtable}}",
    ]


def _size(table: Table) -> str:
    return r"\small" if len(table.columns) <= _MOST_SMALL else r"\footnotesize\setlength{\tabcolsep}{4pt}"


def _longtable_heads(caption: str, heads: str, width: int) -> list[str]:
    """The caption belongs to the first head, so that no page break parts it from its table; it takes no width."""
    told = rf"\multicolumn{{{width}}}{{@{{}}l@{{}}}}{{\rjtop{{{said(caption)}}}}}\\[2pt]" if caption else ""
    return [
        rf"{told}\toprule {heads}\\ \midrule\endfirsthead",
        rf"\toprule {heads}\\ \midrule\endhead",
        r"\bottomrule\endlastfoot",
    ]


def _row(row: Row) -> str:
    cells = [_line(cell) for cell in row.cells]
    if row.strong:
        cells = [rf"\textbf{{{cell}}}" if cell else "" for cell in cells]
    if row.grey:
        cells = [rf"\rjsoft{{{cell}}}" if cell else "" for cell in cells]
    return _guarded(r"\hspace*{1em}" * row.indent + " & ".join(cells)) + r"\\"


def _guarded(line: str) -> str:
    """A line of a table. One that begins with a bracket or a star would be read as part of the line before."""
    return "{}" + line if line[:1] in ("[", "(", "*", "") else line


def _matrix(matrix: Matrix) -> list[str]:
    """Counts and row shares; the share is the shade of the cell as well."""
    width = len(matrix.column_names)
    heads = " & ".join(said(fit(name, _LONGEST_NAME)) for name in matrix.column_names)
    lines = [
        rf"\rjcaption{{{said(matrix.title)}}}",
        rf"{{\small\renewcommand{{\arraystretch}}{{1.35}}\begin{{tabular}}{{@{{}}r{'c' * width}@{{}}}}",
        rf" & \multicolumn{{{width}}}{{c}}{{\rjsoft{{{said(matrix.column_axis)}}}}}\\",
        rf"\rjsoft{{{said(matrix.row_axis)}}} & {heads}\\",
    ]
    for name, counts, shares in zip(matrix.row_names, matrix.counts, matrix.shares, strict=True):
        cells = " & ".join(_cell(count, share) for count, share in zip(counts, shares, strict=True))
        lines.append(_guarded(f"{said(fit(name, _LONGEST_NAME))} & {cells}") + r"\\")
    about = "items, and the share of the row" + (f"; {matrix.note}" if matrix.note else "")
    return [*lines, r"\end{tabular}\par}", rf"{{\footnotesize\rjsoft{{{said(about)}}}\par}}"]


def _cell(count: int, share: float | None) -> str:
    dark = shade(share or 0)
    colour = r"\color{white}" if dark > DARK else ""
    told = NOTHING if share is None else percent(share)
    return rf"\cellcolor{{rjblue!{round(100 * dark)}}}{{{colour}\textbf{{{count:,}}} ({said(told)})}}"


def _forest(forest: Forest) -> list[str]:
    """A table whose last column draws each interval to scale; the ends of the axis stand in its head."""
    low, high = ends(forest)
    head = rf"\makebox[{AXIS_MM}mm][l]{{{said(_end(low))}\hfill {said(_end(high))}}}"
    heads = rf"\textbf{{{said(forest.what)}}} & \textbf{{{said(forest.axis)}}} & \textbf{{n}} & {head}"
    lines = [
        r"{\small\begin{longtable}[l]{@{}>{\raggedright\arraybackslash}p{0.26\linewidth}>{\raggedright\arraybackslash}p{0.24\linewidth}r@{\quad}l@{}}",
        *_longtable_heads(forest.title, heads, 4),
    ]
    group = ""
    for row in forest.rows:
        lines += [rf"\textbf{{{said(row.group)}}}\\"] if row.group and row.group != group else []
        group = row.group
        cells = [said(row.name), said(figure(row.estimate.as_json())), f"{row.n:,}"]
        cells = [rf"\rjsoft{{{cell}}}" for cell in cells] if row.small else cells
        indent = r"\hspace*{1em}" * (row.indent + bool(group))
        lines.append(_guarded(indent + " & ".join([*cells, _drawn(row, low, high)])) + r"\\")
    return [*lines, r"\end{longtable}}"]


def ends(forest: Forest) -> tuple[float, float]:
    """The ends of the axis, in tenths: 0 to 1, and more where a figure lies beyond."""
    each = [row.estimate for row in forest.rows]
    figures = [figure for estimate in each for figure in (estimate.value, estimate.low, estimate.high) if figure is not None]
    return min(0.0, math.floor(10 * min(figures, default=0.0)) / 10), max(1.0, math.ceil(10 * max(figures, default=1.0)) / 10)


def _end(figure: float) -> str:
    return f"{figure + 0.0:g}".replace("-", "−")


def _drawn(row: ForestRow, low: float, high: float) -> str:
    value = row.estimate.value
    if value is None:
        return ""

    def place(figure: float) -> float:
        return round(AXIS_MM * (figure - low) / (high - low), 2)

    start = place(value if row.estimate.low is None else row.estimate.low)
    end = place(value if row.estimate.high is None else row.estimate.high)
    colour = "rjgrey" if row.small else _COLOURS[row.mark]
    return rf"\rjinterval{{{start:g}}}{{{round(end - start, 2):g}}}{{{place(value):g}}}{{{colour}}}"


def paper_table(table: Table) -> str:
    """A `table` environment for a paper (booktabs alone)."""
    layout = "".join("r" if column.numeric else "l" for column in table.columns)
    heads = " & ".join(said(column.head) for column in table.columns)
    rows = [_row(row) for row in table.rows]
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{said(table.caption)}}}",
            rf"\begin{{tabular}}{{{layout}}}",
            r"\toprule",
            rf"{heads}\\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
