"""The written report: one content, and three forms of it that cannot disagree.

- `content`     what a report is made of: sections of paragraphs, points, tables, matrices, forests
- `numerals`    how a number is written, once for all forms
- `html`, `markdown`, `latex`  the three forms of a content
- `drawing`     the figures as SVG, from Altair
"""
